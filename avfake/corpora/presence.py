"""Whether a corpus's files are there, and inside its root."""

import os
import stat
from functools import lru_cache
from pathlib import Path

from avfake.errors import ClipError, ErrorKind, one_line
from avfake.files import inside


class Presence:
    """Looks files up folder by folder: one listing costs far less than a question per file.

    Args:
        root: Of the corpus.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._listed = lru_cache(maxsize=8)(self._list)

    def look_up(self, path: str) -> os.stat_result:
        """State of a regular file.

        Args:
            path: Relative to the root, with forward slashes.

        Raises:
            ClipError: The file is absent, is no regular file, or lies outside the root.
        """
        folder, _, name = path.rpartition("/")
        entry = self._listed(folder).get(name)
        plain = name not in ("", ".", "..") and "\\" not in name and ":" not in name
        try:
            if plain and entry is None:
                raise FileNotFoundError("the folder does not hold it")
            if plain and entry is not None and not entry.is_symlink():
                state = entry.stat(follow_symlinks=False)
            else:
                state = inside(self._root, path).stat()
        except (OSError, RuntimeError) as error:  # the latter for a link to itself, until Python 3.13
            raise ClipError(ErrorKind.NOT_FOUND, f"no file {path!r}: {one_line(error)}") from error
        if not stat.S_ISREG(state.st_mode):
            raise ClipError(ErrorKind.NOT_MEDIA, f"{path!r} is not a regular file")
        return state

    def _list(self, folder: str) -> dict[str, os.DirEntry[str]]:
        """Entries of a folder by name; none when it cannot be listed."""
        path = inside(self._root, folder) if folder else self._root
        try:
            with os.scandir(path) as entries:
                return {entry.name: entry for entry in entries}
        except OSError:
            return {}
