"""What an index holds, counted for the report of ``avfake index``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from avfake.manifest.database import Database
from avfake.manifest.schema import SPLITS

_SHOWN = 5  # skipped files named in the text
_TOTALS = "SELECT count(*), count(DISTINCT identity_group) FROM indexed"
_GROUPS = """
SELECT video_label, video_method, official_split, count(*) FROM indexed GROUP BY ALL
"""
_FAILURES = """
SELECT error_kind, count(*) FROM indexed WHERE status = 'failed' GROUP BY error_kind ORDER BY error_kind
"""


@dataclass(frozen=True)
class Group:
    """Videos of one kind in an index.

    Attributes:
        video_label: 1 fake, 0 real.
        video_method: How they were made; None when real.
        official_split: Where the authors put them; None when they did not say.
        n_rows: How many, failed ones included.
    """

    video_label: int
    video_method: str | None
    official_split: str | None
    n_rows: int


@dataclass(frozen=True)
class IndexReport:
    """What ``index`` found.

    Attributes:
        corpus: Name in the workspace.
        n_rows: Videos, failed ones included.
        n_identity_groups: Distinct identity groups.
        groups: Videos by label, method and official split.
        failures: How many rows failed, by ``error_kind``.
        n_skipped: Files that are no rows.
        skipped: Path and reason of the first of them.
    """

    corpus: str
    n_rows: int
    n_identity_groups: int
    groups: tuple[Group, ...]
    failures: Mapping[str, int]
    n_skipped: int
    skipped: tuple[tuple[str, str], ...]

    @property
    def n_failed(self) -> int:
        """Rows that cannot be used."""
        return sum(self.failures.values())

    def __str__(self) -> str:
        lines = [
            f"{self.corpus}: {self.n_rows} videos in {self.n_identity_groups} identity groups, "
            f"{self.n_rows - self.n_failed} ok, {self.n_failed} failed"
        ]
        for group in self.groups:
            name = group.video_method or ("fake" if group.video_label else "real")
            lines.append(f"  {name:<18} {group.official_split or 'no split':<9} {group.n_rows:>8}")
        if self.failures:
            counts = ", ".join(f"{kind} {count}" for kind, count in self.failures.items())
            lines.append(f"  failed: {counts} (reasons in the column error)")
        if self.n_skipped:
            lines.append(f"  skipped {self.n_skipped} files that are no rows:")
            lines += [f"    {path}: {reason}" for path, reason in self.skipped[:_SHOWN]]
        return "\n".join(lines)


def count(database: Database, corpus: str, n_skipped: int, skipped: Sequence[tuple[str, str]]) -> IndexReport:
    """Count the rows of an index.

    Args:
        database: Holds them as ``indexed``.
        corpus: Its name.
        n_skipped: Files that are no rows.
        skipped: Path and reason of some of them.
    """
    ((n_rows, n_groups),) = database.execute(_TOTALS).fetchall()
    groups = [Group(*values) for values in database.execute(_GROUPS).fetchall()]
    failures = database.execute(_FAILURES).fetchall()
    return IndexReport(
        corpus=corpus,
        n_rows=n_rows,
        n_identity_groups=n_groups,
        groups=tuple(sorted(groups, key=_order)),
        failures=dict(failures),
        n_skipped=n_skipped,
        skipped=tuple(skipped),
    )


def _order(group: Group) -> tuple[int, str, int]:
    splits = (None, *SPLITS)
    return group.video_label, group.video_method or "", splits.index(group.official_split)
