"""What a crawl would do and how long it would take, told without asking a server."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from avfake.curate.recovery.download import CrawlConfig
from avfake.curate.recovery.pace import HOUR_S, JITTER
from avfake.curate.stage import Retry, read_ledger
from avfake.curate.task import Outcome
from avfake.curate.workspace import Workspace, safe_name
from avfake.errors import ErrorKind

_ASSUMED_BYTES = 8e6  # of an upload of five minutes: its sound and its lowest pictures
_ASSUMED_RATE = 1e6  # bytes per second
_TALK_S = 3.0  # assumed too: until the first byte of media comes


@dataclass(frozen=True)
class CrawlPlan:
    """What a crawl would do.

    Attributes:
        corpus: Name of the corpus.
        n_uploads: That its clips come from.
        n_complete: That need no request: they lie there, or no clip waits for them.
        failed_before: Of the others, those that earlier runs could not have, by reason.
        asked_again: Of these, those that this run would ask for again, by reason.
        n_to_fetch: That this run would ask for, those included.
        duration_s: How long that takes when all can be had, in seconds.
        assumption: What the duration rests on.
    """

    corpus: str
    n_uploads: int
    n_complete: int
    failed_before: Mapping[str, int]
    asked_again: Mapping[str, int]
    n_to_fetch: int
    duration_s: float
    assumption: str

    @property
    def n_failed(self) -> int:
        """None: a plan fails nobody."""
        return 0

    def __str__(self) -> str:
        again = f"; to be asked for again: {_listed(self.asked_again)}" if self.failed_before else ""
        lines = [
            f"{self.corpus}: {self.n_uploads} uploads; no server was asked anything",
            f"  complete: {self.n_complete}",
            f"  failed before: {_listed(self.failed_before)}{again}",
            f"  to fetch: {self.n_to_fetch}",
        ]
        if self.n_to_fetch:
            lines.append(f"  this takes about {_readable(self.duration_s)} ({self.assumption})")
        return "\n".join(lines)


@dataclass(frozen=True)
class Standing:
    """Where things stand before a crawl.

    Attributes:
        rows: Of earlier runs, by YouTube id.
        lying: Ids whose files are there, whatever their rows say.
        to_fetch: Ids that the crawl would ask for.
        lost: Ids that earlier runs could not have, by reason.
        again: Of these, those among ``to_fetch``.
    """

    rows: Mapping[str, Outcome]
    lying: frozenset[str]
    to_fetch: list[str] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)


def survey(workspace: Workspace, corpus: str, youtube_ids: Mapping[str, bool], retry: Retry) -> Standing:
    """Look at the ledger and the folder of uploads; the arguments are those of the crawl."""
    rows = {row["clip_id"]: row for row in read_ledger(workspace.ledger("uploads"), corpus)}
    sounds = uploads_folder(workspace, corpus).glob("*.sound.*")
    standing = Standing(rows, frozenset(path.name.partition(".")[0] for path in sounds))
    for youtube_id in (youtube_id for youtube_id, waits in youtube_ids.items() if waits):
        row = rows.get(youtube_id, {"status": "new"})
        failed = row["status"] == "failed"
        again = failed and (retry != "transient" or ErrorKind(row["error_kind"]).transient)
        if failed and not again:
            standing.lost[row["error_kind"]] += 1
        elif youtube_id not in standing.lying:
            standing.to_fetch.append(youtube_id)
            if failed:
                standing.lost[row["error_kind"]] += 1
                standing.again[row["error_kind"]] += 1
    return standing


def plan_crawl(
    workspace: Workspace,
    corpus: str,
    youtube_ids: Mapping[str, bool],
    config: CrawlConfig,
    retry: Retry = "transient",
) -> CrawlPlan:
    """Say what a crawl would do with these arguments; no server is asked, nothing is written."""
    standing = survey(workspace, corpus, youtube_ids, retry)
    n_to_fetch = len(standing.to_fetch)
    sizes = [
        row["sound_bytes"] + (row["pictures_bytes"] or 0)
        for row in standing.rows.values()
        if row["status"] == "ok"
    ]
    mean_bytes = sum(sizes) / len(sizes) if sizes else _ASSUMED_BYTES
    rate = min(config.rate_limit or _ASSUMED_RATE, _ASSUMED_RATE)
    each_s = _TALK_S + mean_bytes / rate + config.sleep_s * (1 + JITTER / 2)
    size = f"{mean_bytes / 1e6:.1f} MB, {f'the mean of {len(sizes)}' if sizes else 'assumed'}"
    speed = f"{rate / 1e6:.2f} MB/s, {'--rate-limit' if config.rate_limit else 'assumed'}"
    cap = f", at most {config.max_per_hour} in an hour" if config.max_per_hour else ""
    return CrawlPlan(
        corpus=corpus,
        n_uploads=len(youtube_ids),
        n_complete=len(youtube_ids) - n_to_fetch - standing.lost.total() + standing.again.total(),
        failed_before=dict(sorted(standing.lost.items())),
        asked_again=dict(sorted(standing.again.items())),
        n_to_fetch=n_to_fetch,
        duration_s=_duration_s(n_to_fetch, each_s, config.max_per_hour),
        assumption=f"each {size}; {speed}; {_TALK_S:g} s of talk and {config.sleep_s:g} s of sleep{cap}",
    )


def uploads_folder(workspace: Workspace, corpus: str) -> Path:
    """Folder of a corpus's uploads."""
    return workspace.root / "uploads" / safe_name(corpus, "corpus")


def _duration_s(n_uploads: int, each_s: float, max_per_hour: int | None) -> float:
    if not max_per_hour or not n_uploads:
        return n_uploads * each_s
    hours, rest = divmod(n_uploads - 1, max_per_hour)
    return max(n_uploads * each_s, hours * HOUR_S + (rest + 1) * each_s)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "none"


def _readable(length_s: float) -> str:
    minutes = round(length_s / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{max(minutes, 1)} min"
