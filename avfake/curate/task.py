"""A task: one clip to work on; and work, which makes the outcomes of a shard's tasks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from avfake.errors import StorageError

P = ParamSpec("P")
T = TypeVar("T")
Outcome = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One clip to work on.

    Attributes:
        corpus: Its corpus.
        clip_id: Its name there.
        inputs: Fingerprint of the clip's own inputs; when it changes, the clip is done again.
        facts: What the work needs to know of the clip.
        spent: Its media file has served; that it is gone is no reason to make it again.
    """

    corpus: str
    clip_id: str
    inputs: str
    facts: Mapping[str, Any]
    spent: bool = False


# The outcome of each task, in order, or the error that it failed with; one clip's failure is no other's.
Work = Callable[[Sequence[Task]], Iterable[Outcome | Exception]]


@dataclass(frozen=True)
class OneByOne:
    """Work on clips that gain nothing from each other's company.

    Attributes:
        work: Makes one clip's outcome; picklable, and raises ClipError to fail the clip.
    """

    work: Callable[[Task], Outcome]

    def __call__(self, tasks: Sequence[Task]) -> Iterable[Outcome | Exception]:
        """The outcome of each task, one at a time."""
        return (attempt(self.work, task) for task in tasks)


def attempt(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Exception:
    """The result of work on one clip, or the error it raised.

    Raises:
        StorageError: The disk is full or read-only, which is no fault of the clip.
    """
    try:
        return work(*args, **kwargs)
    except StorageError:
        raise
    except Exception as error:
        return error
