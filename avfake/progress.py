"""Progress bars on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def track(title: str, *, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar with what is done and the remaining time on a terminal, nothing elsewhere.

    Args:
        title: Before the bar.
        total: Steps.

    Yields:
        A function that moves the bar on by a number of steps.
    """
    from rich.console import Console  # a command that shows no bar shall not load rich
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(title, total=total)
        yield lambda count: progress.advance(bar, count)


@contextmanager
def track_bytes(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar of a download, with its speed, on a terminal, nothing elsewhere.

    Args:
        title: Before the bar.

    Yields:
        A function that is told the bytes so far, and in all where they are known.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
