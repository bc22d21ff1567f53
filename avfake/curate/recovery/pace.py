"""Patience with a server: rest between requests, a cap per hour, second tries, and what to do at a wall."""

import random
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from avfake.curate.recovery.reasons import FetchError
from avfake.errors import ErrorKind
from avfake.files import write_bytes

WALL = frozenset({ErrorKind.BOT_WALL, ErrorKind.RATE_LIMITED})  # they concern our address, not one upload
OUTAGE = 3  # ids in a row that nobody answered for; then it is the net, and that concerns the queue too
JITTER = 0.5  # a wait is drawn from 1 to 1.5 times what was asked for
HOUR_S = 3600.0
Result = TypeVar("Result")


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds; every wait but the cap's is at least this, with jitter.

    Attributes:
        sleep_s: Between the end of a request and the start of the next.
        max_per_hour: Requests in any hour; None for no cap.
        pauses_s: After the first, second, ... answer meant for the whole queue, or when nobody answers
            any more. A server that names its own time is given that; when it names more than the longest of
            these, nothing more is asked in this run.
        backoff_s: Before the second, third, ... try of an id that ran into a passing problem of its own.
    """

    sleep_s: float = 0.0
    max_per_hour: int | None = None
    pauses_s: tuple[float, ...] = (60, 300, 900, 3600)
    backoff_s: tuple[float, ...] = (10, 40)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # looked up late: a progress bar puts lines above itself


class Pace:
    """The one gate all requests of a crawl go through.

    Args:
        patience: How long to wait for what.
        journal: File with the times of the last hour's requests, so that the cap outlives this process;
            None to count from now.
        seed: Of the jitter.
        clock: Seconds on a clock that goes on while this process does not run.
        sleep: Waits for some seconds.
        say: Tells the user why nothing happens.
    """

    def __init__(
        self,
        patience: Patience,
        *,
        journal: Path | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = _say,
    ) -> None:
        self._patience = patience
        self._journal = journal if patience.max_per_hour else None
        self._random = random.Random(seed)
        self._clock, self._sleep, self._say = clock, sleep, say
        self._asked = deque(_noted(self._journal), maxlen=patience.max_per_hour or 0)
        self._next_s = float("-inf")  # no request before
        self._wall: FetchError | None = None  # met by the last id that got all its pauses
        self._stands = False
        self._n_late = 0  # ids in a row that ended without an answer

    def ask(self, request: Callable[[], Result]) -> Result:
        """Make one id's request when its time has come, and again as often as patience has it.

        Raises:
            FetchError: What the last try met; or that the wall stands and nothing was asked.
        """
        if self._stands and self._wall:
            raise FetchError(self._wall.kind, f"not asked, as before it: {self._wall}")
        pauses = iter(() if self._wall else self._patience.pauses_s)
        backoffs = iter(self._patience.backoff_s)
        while True:
            try:
                result = self._once(request)
            except FetchError as error:
                if error.kind is not ErrorKind.TIMEOUT:
                    self._n_late = 0
                if error.kind in WALL or self._n_late >= OUTAGE:
                    self._pause(error, next(pauses, None))
                elif error.kind.transient:
                    self._back_off(error, next(backoffs, None))
                else:
                    raise
            else:
                self._wall, self._n_late = None, 0
                return result

    def _once(self, request: Callable[[], Result]) -> Result:
        longest_s = self._patience.sleep_s * (1 + JITTER)  # whatever the clock was put back by
        wait_s = min(self._next_s - self._clock(), longest_s)
        if self._asked.maxlen and len(self._asked) == self._asked.maxlen:
            cap_s = min(self._asked[0] + HOUR_S - self._clock(), HOUR_S)
            if cap_s > max(wait_s, 60):
                self._say(f"{self._asked.maxlen} requests within an hour: going on in {_minutes(cap_s)}")
            wait_s = max(wait_s, cap_s)
        if wait_s > 0:
            self._sleep(wait_s)
        self._note(self._clock())
        try:
            return request()
        finally:
            self._next_s = self._clock() + self._drawn(self._patience.sleep_s)

    def _pause(self, error: FetchError, pause_s: float | None) -> None:
        """Hold the queue, or give this id up; if the one before was given up for it too, the wall stands."""
        too_long = self._too_long(error)
        if pause_s is None or too_long:
            self._stands = self._wall is not None or too_long
            self._wall = error
            if self._stands:
                self._say(f"nothing more is asked in this run, the next one goes on from here: {error}")
            raise error
        wait_s = self._drawn(pause_s) if error.retry_after_s is None else error.retry_after_s
        self._say(f"the queue pauses for {_minutes(wait_s)}: {error}")
        self._sleep(wait_s)

    def _back_off(self, error: FetchError, backoff_s: float | None) -> None:
        if backoff_s is None or self._too_long(error):
            self._n_late += 1
            raise error
        self._sleep(max(self._drawn(backoff_s), error.retry_after_s or 0))

    def _too_long(self, error: FetchError) -> bool:
        """Whether the server wants to be left alone for longer than a run waits."""
        return (error.retry_after_s or 0) > max(self._patience.pauses_s, default=0)

    def _drawn(self, least_s: float) -> float:
        return least_s * (1 + JITTER * self._random.random())

    def _note(self, now_s: float) -> None:
        """Remember a request before it is made, so that one cut off by a kill counts too."""
        self._asked.append(now_s)
        if self._journal:
            write_bytes(self._journal, "".join(f"{time_s!r}\n" for time_s in self._asked).encode())


def _noted(journal: Path | None) -> Sequence[float]:
    if journal is None:
        return ()
    with suppress(OSError, ValueError):
        return [float(line) for line in journal.read_text().split()]
    return ()  # there is none yet, or it is broken


def _minutes(wait_s: float) -> str:
    return f"{wait_s:.0f} s" if wait_s < 100 else f"{wait_s / 60:.0f} min"
