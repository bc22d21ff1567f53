"""How well each clip's mouth follows its sound, by the standard of the sounds of other people in the set."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from avfake.curate.screening.signals import Clip, read_signals
from avfake.curate.task import Outcome
from avfake.faces.sync import (
    LAG_STEP_S,
    SOUNDS_PER_PICTURE,
    Coupling,
    Evidence,
    Signal,
    agreement,
    learn,
    no_evidence,
    see_and_hear,
)
from avfake.video.sample import PICTURES_PER_S

SCREENED_FIELDS = [
    pa.field("corpus", pa.string(), nullable=False),
    pa.field("clip_id", pa.string(), nullable=False),
    pa.field("sync_score", pa.float64()),
    pa.field("sync_lag_ms", pa.float64()),
    pa.field("off_camera", pa.bool_()),
    pa.field("reason", pa.string()),  # why there is no score
    pa.field("agreement", pa.float64()),
    pa.field("chance_agreement", pa.float64()),
    pa.field("n_pictures", pa.int32()),
    pa.field("mouth_spread", pa.float64()),
    pa.field("sound_spread_db", pa.float64()),
]
N_SHUFFLED = 64  # sounds that each mouth is compared with besides its own
LONGEST_LAG_S = 0.2
_N_FOLDS = 10
_TAUGHT_S = 60.0  # of a clip at most, that no film outvotes a thousand clips
SHORTEST_S = 1.0
STATIC, SILENT_DB = 0.05, 2.0  # spreads; still pictures stay below 0.04, noise and hum below 1 dB
_LONGEST_LAG = round(LONGEST_LAG_S / LAG_STEP_S)


class Person(NamedTuple):
    """What the index knows of a clip.

    Attributes:
        group: Its identity group.
        teaches: Whether its mouth makes its sound, as far as labels tell.
    """

    group: str
    teaches: bool


class Score(NamedTuple):
    """What screening finds out about one clip.

    Attributes:
        row: Values of SCREENED_FIELDS.
        shuffled: Scores of the mouth with other people's sounds, [N_SHUFFLED]; empty without a score.
    """

    row: Outcome
    shuffled: Signal


@dataclass(frozen=True)
class Standard:
    """What all clips of a set are measured by.

    Attributes:
        people: Of each clip, by its name.
        folds: Number of the fold of each identity group.
        couplings: What goes with what in all folds but one, for each fold.
        donors: Sounds to compare with, one of each identity group, by that.
    """

    people: Mapping[str, Person]
    folds: Mapping[str, int]
    couplings: Sequence[Coupling]
    donors: Mapping[str, Signal]

    def scores(self, parts: Sequence[Path]) -> list[Score]:
        """Scores of the clips of some parts of the ledger of signals."""
        return [self._score(clip) for part in parts for clip in read_signals(part)]

    def _score(self, clip: Clip) -> Score:
        n_pictures = _n_pictures(clip)
        person = self.people[clip.clip_id]
        others = [sound for group, sound in self.donors.items() if group != person.group]
        row: Outcome = {
            "corpus": clip.corpus,
            "clip_id": clip.clip_id,
            "reason": _unusable(clip) or (None if others else "nobody else to compare with"),
            "n_pictures": n_pictures,
            "mouth_spread": clip.mouth.spread,
            "sound_spread_db": clip.sound.spread,
        }
        if row["reason"]:
            return Score(row, np.zeros(0))
        n_moments = min(n_pictures * SOUNDS_PER_PICTURE, len(clip.sound.values))
        sounds = np.stack([clip.sound.values[:n_moments], *_shuffled(others, n_moments)])
        coupling = self.couplings[self.folds[person.group]]
        found = agreement(coupling, clip.mouth.values[:n_pictures], sounds, longest_lag=_LONGEST_LAG)
        best = found.max(axis=1)
        by_chance = float(best[1:].mean())
        scores = (best - by_chance) / max(float(best[1:].std()), 1e-9)
        row |= {
            "sync_score": float(scores[0]),
            "sync_lag_ms": 1000 * (int(found[0].argmax()) - _LONGEST_LAG) * LAG_STEP_S,
            "off_camera": bool(scores[0] < 0),
            "agreement": float(best[0]),
            "chance_agreement": by_chance,
        }
        return Score(row, scores[1:])


def make_standard(parts: Sequence[Path], people: Mapping[str, Person]) -> Standard:
    """Learn from all clips which mouths go with which sounds, and choose the sounds to compare with.

    One pass over the signals; what is kept does not grow with the number of clips but for their names.

    Args:
        parts: Of the ledger of signals.
        people: Of each clip; only those that teach are learned from and compared with.
    """
    groups = sorted({person.group for person in people.values()}, key=rank)
    folds = {group: number % _N_FOLDS for number, group in enumerate(groups)}
    evidence = [no_evidence() for _ in range(_N_FOLDS)]
    donors: dict[str, Clip] = {}
    for clip in (clip for part in parts for clip in read_signals(part)):
        person = people[clip.clip_id]
        if _unusable(clip) or not person.teaches:
            continue
        fold = folds[person.group]
        evidence[fold] = evidence[fold].plus(_lesson(clip))
        donor = donors.get(person.group, clip)
        donors[person.group] = min(donor, clip, key=lambda one: rank(f"{one.corpus}/{one.clip_id}"))
        if len(donors) > N_SHUFFLED + 1:  # one more than needed, for the clip of whose group one is
            del donors[max(donors, key=rank)]
    total = reduce(Evidence.plus, evidence)
    couplings = [learn(total.plus(one, times=-1)) for one in evidence]
    sounds = {group: donors[group].sound.values for group in sorted(donors, key=rank)}
    return Standard(people, folds, couplings, sounds)


def _lesson(clip: Clip) -> Evidence:
    n_pictures = min(_n_pictures(clip), round(_TAUGHT_S * PICTURES_PER_S))
    return see_and_hear(clip.mouth.values[:n_pictures], clip.sound.values)


def _n_pictures(clip: Clip) -> int:
    """Pictures beside which there is sound."""
    return min(len(clip.mouth.values), -(-len(clip.sound.values) // SOUNDS_PER_PICTURE))


def _unusable(clip: Clip) -> str | None:
    """Why nothing can be said of a clip."""
    if _n_pictures(clip) < SHORTEST_S * PICTURES_PER_S:
        return f"shorter than {SHORTEST_S:.0f} s"
    if clip.sound.spread < SILENT_DB:
        return "silent"
    return "static face" if clip.mouth.spread < STATIC else None


def _shuffled(others: Iterable[Signal], n_moments: int) -> Iterator[Signal]:
    """N_SHUFFLED sounds of a length: those of others in turn, each time from another moment on, repeated."""
    sounds = list(others)
    n_turns = -(-N_SHUFFLED // len(sounds))
    for number in range(N_SHUFFLED):
        turn, which = divmod(number, len(sounds))
        start = turn * len(sounds[which]) // n_turns
        yield sounds[which].take(np.arange(start, start + n_moments), axis=0, mode="wrap")


def rank(name: str) -> str:
    """A place in an order that has nothing to do with what is ordered."""
    return hashlib.sha256(name.encode()).hexdigest()
