"""What an audit found: one finding per label and cue, its verdict, and the table a person reads."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from avfake.curate.shortcuts.evidence import smallest_certain_auc

WARN_ABOVE = 0.60
FAIL_ABOVE = 0.70
FAMILY_LEVEL = 0.05  # probability that chance alone gives any cue of a clean split more than "unsure"
CONSTANT = "constant"
TOGETHER = "all together"


class Verdict(StrEnum):
    """What an AUC means; from best to worst."""

    OK = "ok"  # at most WARN_ABOVE
    UNSURE = "unsure"  # higher, but so few rows give that by chance
    WARNING = "warning"  # above WARN_ABOVE, beyond chance
    FAIL = "fail"  # above FAIL_ABOVE, beyond chance


@dataclass(frozen=True)
class Finding:
    """How well one cue tells one label.

    Attributes:
        label: video, audio or whole.
        cue: Name of the cue.
        auc: Cross-validated over identity groups; None when it could not be computed.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        p_value: Probability of so high an AUC by chance, were this the only cue looked at.
        chance_error: Standard error of the AUC of a harmless cue.
        verdict: What follows.
        note: Why there is no verdict, or that the cue is constant.
    """

    label: str
    cue: str
    auc: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    chance_error: float | None = None
    verdict: Verdict = Verdict.UNSURE
    note: str = ""


@dataclass(frozen=True)
class AuditReport:
    """The audit of one split.

    Attributes:
        split: Its name.
        verdict: The worst of the findings.
        n_rows: Rows of the split.
        n_audited: Rows looked at.
        n_groups: Identity groups looked at.
        seed: Of sample, folds and bootstrap.
        allow_shortcuts: Whether a failed audit may be passed over.
        notes: What was not measured, and why.
        findings: One per label and cue.
        warn_above: AUC above which a certain finding is a warning.
        fail_above: AUC above which it fails the split.
        n_failed: Always 0: rows cannot fail here, a broken file stops the audit.
    """

    split: str
    verdict: Verdict
    n_rows: int
    n_audited: int
    n_groups: int
    seed: int
    allow_shortcuts: bool
    notes: Sequence[str]
    findings: Sequence[Finding]
    warn_above: float = WARN_ABOVE
    fail_above: float = FAIL_ABOVE
    n_failed: int = field(default=0)

    def __str__(self) -> str:
        allowed = " (shortcuts allowed)" if self.verdict == Verdict.FAIL and self.allow_shortcuts else ""
        sampled = "" if self.n_audited == self.n_rows else f", a sample of {self.n_rows}"
        lines = [
            f"audit of split {self.split}: {self.verdict.upper()}{allowed}",
            f"  {self.n_audited} rows of {self.n_groups} identity groups{sampled}; "
            f"AUC above {self.warn_above:.2f} warns, above {self.fail_above:.2f} fails",
            f"  {'label':<6} {'cue':<17} {'AUC':>5}  95 % interval  verdict",
            *map(_line, _ordered(self.findings)),
        ]
        constant = sorted({finding.cue for finding in self.findings if finding.note == CONSTANT})
        if constant:
            lines.append(f"  the same in every row, AUC 0.50: {', '.join(constant)}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def judge(findings: Iterable[Finding]) -> tuple[list[Finding], Verdict]:
    """Give each finding its verdict, with every cue that varies counted as a try, and the worst of them."""
    known = list(findings)
    n_tries = count_tries(known)
    judged = [replace(finding, verdict=_verdict(finding, n_tries)) for finding in known]
    order = list(Verdict)
    return judged, max((finding.verdict for finding in judged), key=order.index, default=Verdict.OK)


def count_tries(findings: Sequence[Finding]) -> int:
    """How many cues had a chance to look like a shortcut."""
    return max(1, sum(finding.auc is not None and finding.note != CONSTANT for finding in findings))


def explain_blindness(findings: Sequence[Finding]) -> Iterator[str]:
    """A sentence for each label whose rows are too few to be sure of an AUC of FAIL_ABOVE."""
    n_tries = count_tries(findings)
    for label in dict.fromkeys(finding.label for finding in findings):
        own = [finding for finding in findings if finding.label == label]
        if own[0].chance_error is None:
            yield f"{label} label: not tested, {own[0].note}"
        else:
            smallest = smallest_certain_auc(own[0].chance_error, n_tries=n_tries, level=FAMILY_LEVEL)
            if smallest > FAIL_ABOVE:
                yield f"{label} label: too few rows to tell an AUC under {smallest:.2f} from chance"


def _verdict(finding: Finding, n_tries: int) -> Verdict:
    if finding.auc is None or finding.p_value is None:
        return Verdict.UNSURE
    if finding.auc <= WARN_ABOVE:
        return Verdict.OK
    if finding.p_value * n_tries >= FAMILY_LEVEL:
        return Verdict.UNSURE
    return Verdict.FAIL if finding.auc > FAIL_ABOVE else Verdict.WARNING


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    """What varies, label by label: all cues together, then the highest AUC first."""
    labels = list(dict.fromkeys(finding.label for finding in findings))
    shown = [finding for finding in findings if finding.note != CONSTANT and finding.auc is not None]

    def place(finding: Finding) -> tuple[int, bool, float, str]:
        auc = finding.auc or 0.0
        return labels.index(finding.label), finding.cue != TOGETHER, -auc, finding.cue

    return sorted(shown, key=place)


def _line(finding: Finding) -> str:
    interval = f"{finding.low:.2f} to {finding.high:.2f}"
    verdict = "FAIL" if finding.verdict == Verdict.FAIL else finding.verdict.value
    return f"  {finding.label:<6} {finding.cue:<17} {finding.auc:5.2f}  {interval:<13}  {verdict}"
