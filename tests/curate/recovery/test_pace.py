"""Requests keep their distance, the hour its cap, a wall stops all; on a clock that only sleeps move."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from avfake.curate.recovery.pace import JITTER, OUTAGE, Pace, Patience
from avfake.curate.recovery.reasons import FetchError
from avfake.errors import ErrorKind


class Day:
    """A clock, the times of all requests, and what the user was told."""

    def __init__(self) -> None:
        self.now_s = 1e9
        self.asked_s: list[float] = []
        self.told: list[str] = []

    def sleep(self, length_s: float) -> None:
        assert length_s > 0
        self.now_s += length_s

    def pace(self, patience: Patience, journal: Path | None = None, seed: int = 0) -> Pace:
        clock = {"clock": lambda: self.now_s, "sleep": self.sleep, "say": self.told.append}
        return Pace(patience, journal=journal, seed=seed, **clock)  # type: ignore[arg-type]

    def server(self, *answers: FetchError | None, lasts_s: float = 0.0) -> Callable[[], str]:
        """Answers in turn, then always the last; None is a success."""
        coming: Iterator[FetchError | None] = chain(answers, repeat(answers[-1] if answers else None))

        def request() -> str:
            self.asked_s.append(self.now_s)
            self.now_s += lasts_s
            if (answer := next(coming)) is not None:
                raise answer
            return "upload"

        return request

    def gaps_s(self) -> list[float]:
        return [after - before for before, after in zip(self.asked_s, self.asked_s[1:], strict=False)]


@pytest.fixture
def day() -> Day:
    return Day()


def error(kind: ErrorKind, retry_after_s: float | None = None) -> FetchError:
    return FetchError(kind, f"the server says {kind}", retry_after_s)


def kind_of(pace: Pace, request: Callable[[], str]) -> ErrorKind:
    with pytest.raises(FetchError) as caught:
        pace.ask(request)
    return caught.value.kind


BOT, LIMIT, LATE = error(ErrorKind.BOT_WALL), error(ErrorKind.RATE_LIMITED), error(ErrorKind.TIMEOUT)
GONE = error(ErrorKind.DELETED)


def test_the_first_request_does_not_wait_and_the_others_sleep_at_least_so_long(day: Day) -> None:
    pace, request, start_s = day.pace(Patience(sleep_s=8)), day.server(lasts_s=3), day.now_s
    for _ in range(50):
        assert pace.ask(request) == "upload"
    assert day.asked_s[0] == start_s
    rests_s = [gap_s - 3 for gap_s in day.gaps_s()]
    assert min(rests_s) >= 8
    assert max(rests_s) <= 8 * (1 + JITTER)
    assert len(set(rests_s)) > 40  # no beat that a server could know us by


def test_jitter_is_drawn_from_the_seed_alone(day: Day) -> None:
    def gaps_s(seed: int) -> list[float]:
        other = Day()
        pace, request = other.pace(Patience(sleep_s=8), seed=seed), other.server()
        for _ in range(5):
            pace.ask(request)
        return other.gaps_s()

    assert gaps_s(1) == gaps_s(1) != gaps_s(2)


def test_no_hour_sees_more_than_its_cap(day: Day) -> None:
    pace, request = day.pace(Patience(sleep_s=60, max_per_hour=7)), day.server(lasts_s=5)
    for _ in range(30):
        pace.ask(request)
    over = [after - before for before, after in zip(day.asked_s, day.asked_s[7:], strict=False)]
    assert min(over) >= 3600
    assert day.now_s - day.asked_s[0] < 5 * 3600  # and it does not dawdle: 30 requests are 4 hours and a bit
    assert any("7 requests within an hour" in text for text in day.told)


def test_failed_requests_and_second_tries_count_for_the_cap(day: Day) -> None:
    pace, request = day.pace(Patience(max_per_hour=2, backoff_s=(1,))), day.server(LATE, LATE, None)
    assert kind_of(pace, request) is ErrorKind.TIMEOUT
    pace.ask(request)
    assert day.asked_s[2] - day.asked_s[0] >= 3600


def test_the_cap_outlives_the_process(day: Day, tmp_path: Path) -> None:
    patience, journal = Patience(max_per_hour=3), tmp_path / "requests"
    for _ in range(9):  # every process is killed in its first request
        with pytest.raises(KeyboardInterrupt):
            day.pace(patience, journal).ask(killed(day))
    over = [after - before for before, after in zip(day.asked_s, day.asked_s[3:], strict=False)]
    assert min(over) >= 3600


def killed(day: Day) -> Callable[[], str]:
    def request() -> str:
        day.asked_s.append(day.now_s)
        raise KeyboardInterrupt

    return request


@pytest.mark.parametrize("content", [b"", b"half a li\n", b"\xff\xfe"])
def test_a_broken_journal_or_a_clock_put_back_costs_an_hour_at_most(
    day: Day, tmp_path: Path, content: bytes
) -> None:
    journal = tmp_path / "requests"
    journal.write_bytes(content)
    day.pace(Patience(max_per_hour=1), journal).ask(day.server())
    day.now_s -= 86_400
    day.pace(Patience(max_per_hour=1), journal).ask(day.server())
    assert day.asked_s[1] - day.asked_s[0] == pytest.approx(3600 - 86_400)


def test_a_clock_put_back_costs_one_rest(day: Day) -> None:
    pace, request = day.pace(Patience(sleep_s=8)), day.server()
    pace.ask(request)
    day.now_s -= 86_400
    pace.ask(request)
    assert day.gaps_s()[0] + 86_400 == pytest.approx(8 * (1 + JITTER))


def test_a_passing_problem_is_tried_again_with_growing_waits(day: Day) -> None:
    pace = day.pace(Patience(backoff_s=(10, 40)))
    assert pace.ask(day.server(LATE, LATE, None)) == "upload"
    first_s, second_s = day.gaps_s()
    assert 10 <= first_s <= 10 * (1 + JITTER)
    assert 40 <= second_s <= 40 * (1 + JITTER)


def test_tries_come_to_an_end_and_what_will_not_pass_is_asked_once(day: Day) -> None:
    pace = day.pace(Patience(backoff_s=(10, 40)))
    assert kind_of(pace, day.server(LATE)) is ErrorKind.TIMEOUT
    assert len(day.asked_s) == 3
    assert kind_of(pace, day.server(GONE)) is ErrorKind.DELETED
    assert len(day.asked_s) == 4


def test_when_nobody_answers_for_several_ids_the_queue_waits_for_the_net(day: Day) -> None:
    pace = day.pace(Patience(backoff_s=(10,), pauses_s=(60, 300)))
    for _ in range(OUTAGE):
        assert kind_of(pace, day.server(LATE)) is ErrorKind.TIMEOUT
    assert not day.told
    assert pace.ask(day.server(LATE, LATE, None)) == "upload"
    assert len(day.told) == 2
    kinds = [kind_of(pace, day.server(LATE)) for _ in range(OUTAGE + 20)]
    assert set(kinds) == {ErrorKind.TIMEOUT}
    assert len(day.asked_s) == 2 * OUTAGE + 3 + 2 * OUTAGE + 3 + 1


def test_slow_uploads_among_others_stop_nothing(day: Day) -> None:
    pace = day.pace(Patience(backoff_s=(10,)))
    for _ in range(20):
        for _ in range(OUTAGE - 1):
            assert kind_of(pace, day.server(LATE)) is ErrorKind.TIMEOUT
        assert kind_of(pace, day.server(GONE)) is ErrorKind.DELETED
    assert not day.told


@pytest.mark.parametrize("wall", [BOT, LIMIT])
def test_a_wall_pauses_the_queue_and_the_same_id_is_asked_again(day: Day, wall: FetchError) -> None:
    pace = day.pace(Patience(pauses_s=(60, 300)))
    assert pace.ask(day.server(wall, wall, None)) == "upload"
    first_s, second_s = day.gaps_s()
    assert 60 <= first_s <= 60 * (1 + JITTER)
    assert 300 <= second_s <= 300 * (1 + JITTER)
    assert len(day.told) == 2
    assert all(str(wall) in text and "pauses" in text for text in day.told)


def test_retry_after_is_honoured_to_the_second(day: Day) -> None:
    pace = day.pace(Patience(sleep_s=1, pauses_s=(60, 300)))
    pace.ask(day.server(error(ErrorKind.RATE_LIMITED, 137), None))
    assert day.gaps_s() == [137]


def test_a_busy_server_too_is_given_the_time_it_names(day: Day) -> None:
    pace = day.pace(Patience(backoff_s=(10, 40), pauses_s=(60, 300)))
    pace.ask(day.server(error(ErrorKind.TIMEOUT, 200), None))
    assert day.gaps_s() == [200]
    assert kind_of(pace, day.server(error(ErrorKind.TIMEOUT, 86_400))) is ErrorKind.TIMEOUT
    assert len(day.asked_s) == 3  # not again, but the next id is asked


def test_a_server_that_names_hours_is_left_for_this_run(day: Day) -> None:
    pace = day.pace(Patience(pauses_s=(60, 300)))
    assert kind_of(pace, day.server(error(ErrorKind.RATE_LIMITED, 86_400))) is ErrorKind.RATE_LIMITED
    assert kind_of(pace, day.server()) is ErrorKind.RATE_LIMITED
    assert len(day.asked_s) == 1


def test_a_wall_that_outlasts_the_pauses_and_the_probe_stands(day: Day) -> None:
    pace = day.pace(Patience(pauses_s=(60, 300)))
    kinds = [kind_of(pace, day.server(BOT)) for _ in range(20)]
    assert kinds == [ErrorKind.BOT_WALL] * 20
    assert len(day.asked_s) == 3 + 1  # the first id after each pause, the second once, the others never
    with pytest.raises(FetchError, match="not asked"):
        pace.ask(day.server())


def test_a_success_takes_the_wall_down(day: Day) -> None:
    pace = day.pace(Patience(pauses_s=(60,)))
    assert kind_of(pace, day.server(BOT)) is ErrorKind.BOT_WALL
    pace.ask(day.server())
    day.asked_s.clear()
    pace.ask(day.server(BOT, None))  # has its pause again
    assert len(day.asked_s) == 2


def test_an_upload_that_is_gone_says_nothing_about_the_wall(day: Day) -> None:
    pace = day.pace(Patience(pauses_s=(60,)))
    assert kind_of(pace, day.server(BOT)) is ErrorKind.BOT_WALL
    assert kind_of(pace, day.server(GONE)) is ErrorKind.DELETED
    day.asked_s.clear()
    assert kind_of(pace, day.server(BOT)) is ErrorKind.BOT_WALL  # is the probe that the id before was not
    assert kind_of(pace, day.server()) is ErrorKind.BOT_WALL
    assert len(day.asked_s) == 1
