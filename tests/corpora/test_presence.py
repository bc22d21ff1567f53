import os
from pathlib import Path

import pytest

from avfake.corpora.presence import Presence
from avfake.errors import ClipError, ErrorKind


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside.mp4").write_bytes(b"x")
    root = tmp_path / "root"
    (root / "part").mkdir(parents=True)
    (root / "part/a.mp4").write_bytes(b"abc")
    return root


def test_file_is_found_with_its_size(root: Path) -> None:
    (root / "part/link.mp4").symlink_to(root / "part/a.mp4")
    presence = Presence(root)
    assert presence.look_up("part/a.mp4").st_size == 3
    assert presence.look_up("part/link.mp4").st_size == 3


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("part/b.mp4", ErrorKind.NOT_FOUND),
        ("other/a.mp4", ErrorKind.NOT_FOUND),
        ("part/" + "n" * 300, ErrorKind.NOT_FOUND),
        ("part/link.mp4", ErrorKind.UNSAFE_PATH),
        ("linked/outside.mp4", ErrorKind.UNSAFE_PATH),
        ("part/../part/a.mp4", ErrorKind.UNSAFE_PATH),
        ("part/..", ErrorKind.UNSAFE_PATH),
        ("/etc/passwd", ErrorKind.UNSAFE_PATH),
        ("part/dangling.mp4", ErrorKind.NOT_FOUND),
        ("part/self.mp4", ErrorKind.NOT_FOUND),
        ("part/pipe.mp4", ErrorKind.NOT_MEDIA),
        ("part", ErrorKind.NOT_MEDIA),
    ],
)
def test_anything_but_a_file_inside_fails_with_its_reason(root: Path, path: str, kind: ErrorKind) -> None:
    (root / "part/link.mp4").symlink_to(root.parent / "outside.mp4")
    (root / "linked").symlink_to(root.parent, target_is_directory=True)
    (root / "part/dangling.mp4").symlink_to(root / "gone.mp4")
    (root / "part/self.mp4").symlink_to(root / "part/self.mp4")
    os.mkfifo(root / "part/pipe.mp4")
    with pytest.raises(ClipError) as caught:
        Presence(root).look_up(path)
    assert caught.value.kind == kind
