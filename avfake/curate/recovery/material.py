"""What is at hand of each upload: its files, or the reason why there are none."""

from collections.abc import Iterable, Mapping
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
    """

    youtube_id: str
    files: Upload | None
    inputs: str
    error_kind: ErrorKind | None
    error: str | None


def from_crawl(
    root: Path, rows: Mapping[str, Mapping[str, Any]], youtube_ids: Iterable[str]
) -> list[Material]:
    """Uploads as the ledger of the crawl has them.

    Args:
        root: Of the workspace.
        rows: The ledger by YouTube id.
        youtube_ids: That clips wait for.
    """
    found = []
    for youtube_id in youtube_ids:
        row = rows[youtube_id]
        if row["status"] == "ok":
            pictures = row["pictures_path"]
            files = Upload(root / row["sound_path"], pictures and root / pictures)
            inputs = fingerprint(row["sound_sha256"], row["pictures_sha256"])
            found.append(Material(youtube_id, files, inputs, None, None))
        else:
            kind = ErrorKind(row["error_kind"])
            found.append(Material(youtube_id, None, fingerprint(kind), kind, row["error"]))
    return found


def from_folder(folder: Path, youtube_ids: Iterable[str]) -> list[Material]:
    """Uploads in a user's own folder.

    Args:
        folder: Of uploads.
        youtube_ids: That clips wait for.

    Raises:
        AvfakeError: The folder holds no upload.
    """
    uploads = find_uploads(folder)
    found = []
    for youtube_id in youtube_ids:
        if files := uploads.get(youtube_id):
            states = [file_state(path) for path in files if path]
            found.append(Material(youtube_id, files, fingerprint(states), None, None))
        else:
            error = f"no file of the upload {youtube_id} is in {folder}"
            found.append(Material(youtube_id, None, "absent", ErrorKind.NOT_FOUND, error))
    return found
