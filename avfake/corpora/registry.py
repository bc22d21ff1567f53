"""The kinds of corpora by name."""

from avfake.corpora import dfdc, faceforensics, folder
from avfake.corpora.base import Corpus
from avfake.errors import AvfakeError

CORPORA: dict[str, Corpus] = {
    "ffpp": faceforensics,
    "dfdc": dfdc,
    "folder": folder,
}


def find_corpus(kind: str) -> Corpus:
    """The module of one kind.

    Raises:
        AvfakeError: The kind is unknown.
    """
    if kind not in CORPORA:
        raise AvfakeError(f"corpus kind {kind!r} is unknown; choose one of {', '.join(CORPORA)}")
    return CORPORA[kind]
