"""What is at hand of each upload: its files, or the reason why there are none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from avfake.curate.recovery.uploads import Upload, find_uploads
from avfake.curate.stage import file_state, fingerprint
from avfake.errors import ErrorKind


class Material(NamedTuple):
    """One upload as the following stages see it.

    Attributes:
        youtube_id: 11 characters.
        files: None when there are none.
        inputs: Fingerprint of its content, or of the reason.
        error_kind: Why there are none.
        error: The same in words.
        needed: Whether a clip still waits for it.
    """

    youtube_id: str
    files: Upload | None
    inputs: str
    error_kind: ErrorKind | None
    error: str | None
    needed: bool


def from_crawl(
    root: Path, rows: Mapping[str, Mapping[str, Any]], needed: Mapping[str, bool]
) -> list[Material]:
    """Uploads as the ledger of the crawl has them; the files may be gone once every clip is cut.

    Args:
        root: Of the workspace.
        rows: The ledger by YouTube id.
        needed: Whether a clip waits for it, by YouTube id.
    """
    found = []
    for youtube_id, waits in needed.items():
        row = rows[youtube_id]
        if row["status"] == "ok":
            pictures = row["pictures_path"]
            files = Upload(root / row["sound_path"], pictures and root / pictures)
            inputs = fingerprint(row["sound_sha256"], row["pictures_sha256"])
            found.append(Material(youtube_id, files, inputs, None, None, waits))
        else:
            kind = ErrorKind(row["error_kind"])
            found.append(Material(youtube_id, None, fingerprint(kind), kind, row["error"], waits))
    return found


def from_folder(folder: Path, needed: Mapping[str, bool]) -> list[Material]:
    """Uploads in a user's own folder.

    Args:
        folder: Of uploads.
        needed: As for :func:`from_crawl`.

    Raises:
        AvfakeError: The folder holds no upload.
    """
    uploads = find_uploads(folder)
    found = []
    for youtube_id, waits in needed.items():
        if files := uploads.get(youtube_id):
            states = [file_state(path) for path in files if path]
            found.append(Material(youtube_id, files, fingerprint(states), None, None, waits))
        else:
            error = f"no file of the upload {youtube_id} is in {folder}"
            found.append(Material(youtube_id, None, "absent", ErrorKind.NOT_FOUND, error, waits))
    return found
