"""FaceForensics++ as its download script lays it out, and the Deep Fake Detection actors beside it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from avfake.corpora.base import Finding, Labelling, Skipped, own_labels_only
from avfake.errors import AvfakeError
from avfake.manifest.schema import Row
from avfake.manifest.splits import Sequence, ffpp_methods, ffpp_pairs, ffpp_sequences

COMPRESSIONS = {"raw": "raw", "c0": "raw", "c23": "c23", "c40": "c40"}  # folder -> quality; c0 is older
_Reader = Callable[..., dict[str, Any]]
_SCENE = re.compile(r"(\d\d)__([a-z0-9_]+)")
_SCENE_PAIR = re.compile(r"(\d\d)_(\d\d)__([a-z0-9_]+)__([A-Z0-9]+)")


class _ForeignError(Exception):
    """A file that is not one of the data set's."""


def rows(root: Path, *, corpus: str, labelling: Labelling) -> Iterator[Finding]:
    """List the videos of every collection, method and quality on disk; see :class:`Corpus`."""
    own_labels_only(labelling, "FaceForensics++")
    originals: dict[str, _Reader] = {"youtube": _sequence, "actors": _scene}
    fakes: dict[str, _Reader] = {
        name: _pair if method.originals == "youtube" else _scene_pair
        for name, method in ffpp_methods().items()
    }
    tops = {"original_sequences": originals, "manipulated_sequences": fakes}
    if not any((root / top).is_dir() for top in tops):
        raise AvfakeError(
            f"{root} holds neither original_sequences nor manipulated_sequences; "
            "give the folder the FaceForensics++ download script wrote to"
        )
    for top, readers in tops.items():
        for folder in _names(root / top):
            if folder in readers:
                yield from _collection(root, f"{top}/{folder}", corpus, readers[folder])
            else:
                yield Skipped(f"{top}/{folder}", "no collection or method of FaceForensics++")


def _collection(root: Path, collection: str, corpus: str, read: _Reader) -> Iterator[Finding]:
    """Videos of one collection or method, in every quality."""
    folder = collection.rpartition("/")[2]
    for quality, compression in COMPRESSIONS.items():
        for name in _names(root / collection / quality / "videos"):
            path = f"{collection}/{quality}/videos/{name}"
            stem, dot, suffix = name.rpartition(".")
            try:
                if (dot, suffix) != (".", "mp4"):
                    raise _ForeignError("not an .mp4 file")
                fields = read(stem, folder=folder, compression=compression)
            except _ForeignError as error:
                yield Skipped(path, str(error))
                continue
            yield Row(
                corpus=corpus,
                clip_id=f"{folder}-{compression}-{stem}",
                video_path=path,
                audio_label=None,  # no video of the data set has sound
                compression=compression,
                **fields,
            )


def _sequence(stem: str, **_: str) -> dict[str, Any]:
    """``519``: an original cut from a YouTube upload."""
    sequence = _known(stem)
    return {
        "video_label": 0,
        "target": stem,
        "identity_group": sequence.identity_group,
        "official_split": sequence.split,
    }


def _pair(stem: str, *, folder: str, compression: str) -> dict[str, Any]:
    """``519_515``: the target's scene with the face or expression of the source."""
    target, _, source = stem.partition("_")
    sequence = _known(target)
    if (target, source) not in ffpp_pairs():
        raise _ForeignError("not an official pair <target>_<source>")
    return {
        "video_label": 1,
        "video_method": folder,
        "target": target,
        "source": source,
        "identity_group": sequence.identity_group,  # pairs share a group, so the source has no other
        "official_split": sequence.split,
        "original": f"youtube-{compression}-{target}",
    }


def _scene(stem: str, **_: str) -> dict[str, Any]:
    """``01__exit_phone_room``: an actor in a scene."""
    match = _SCENE.fullmatch(stem)
    if match is None:
        raise _ForeignError("not named <actor>__<scene>")
    return {"video_label": 0, "target": match[1], "identity_group": f"dfd-{match[1]}"}


def _scene_pair(stem: str, *, folder: str, compression: str) -> dict[str, Any]:
    """``01_02__exit_phone_room__YVGY8LOK``: the scene of actor 01 with the face of actor 02."""
    match = _SCENE_PAIR.fullmatch(stem)
    if match is None:
        raise _ForeignError("not named <target>_<source>__<scene>__<code>")
    target, source, scene, _ = match.groups()
    return {
        "video_label": 1,
        "video_method": folder,
        "target": target,
        "source": source,
        "identity_group": f"dfd-{target}",
        "source_group": f"dfd-{source}",
        "original": f"actors-{compression}-{target}__{scene}",
    }


def _known(sequence_id: str) -> Sequence:
    try:
        return ffpp_sequences()[sequence_id]
    except KeyError:
        raise _ForeignError("not one of the 1000 sequences 000 to 999") from None


def _names(folder: Path) -> list[str]:
    """Sorted names in a folder, hidden ones left out; none when it does not exist."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
