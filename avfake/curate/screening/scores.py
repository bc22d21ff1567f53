"""How well each clip's mouth follows its sound, by the standard of the sounds of other people in the set."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
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
    Levelled,
    Signal,
    closeness,
    learn,
    level_mouth,
    level_sound,
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
    pa.field("closeness", pa.float64()),
    pa.field("chance_closeness", pa.float64()),
    pa.field("n_pictures", pa.int32()),
    pa.field("mouth_spread", pa.float64()),
    pa.field("sound_spread_db", pa.float64()),
]
_LEAST_SHUFFLED, _MOST_SHUFFLED = 16, 64  # sounds that each mouth is compared with besides its own
LONGEST_LAG_S = 0.2
_N_FOLDS = 10
SHORTEST_S = 1.0
_LONGEST_S = 60.0  # of a clip that is looked at, from its beginning: no film shall outvote a thousand clips
_STATIC, _SILENT_DB = 0.05, 2.0  # spreads; still pictures stay below 0.04, noise and hum below 1 dB
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
        shuffled: Scores of the mouth with other people's sounds, [sounds]; empty without a score.
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
        return [self.score(clip) for part in parts for clip in read_signals(part)]

    def score(self, clip: Clip) -> Score:
        """Compare the sound of a clip with those of others."""
        mouth, sound = _looked_at(clip)
        person = self.people[clip.clip_id]
        others = [donor for group, donor in self.donors.items() if group != person.group]
        row: Outcome = {
            "corpus": clip.corpus,
            "clip_id": clip.clip_id,
            "reason": _useless(mouth, sound) or (None if others else "nobody else to compare with"),
            "n_pictures": len(mouth.values),
            "mouth_spread": mouth.spread,
            "sound_spread_db": sound.spread,
        }
        if row["reason"]:
            return Score(row, np.zeros(0))
        sounds = np.stack([sound.values, *self._shuffled(others, len(sound.values))])
        known = self.couplings[self.folds[person.group]]
        found = closeness(known, mouth.values, sounds, longest_lag=_LONGEST_LAG)
        best = found.max(axis=1)
        by_chance = float(best[1:].mean())
        scores = (best - by_chance) / max(float(best[1:].std()), 1e-9)
        row |= {
            "sync_score": float(scores[0]),
            "sync_lag_ms": 1000 * (int(found[0].argmax()) - _LONGEST_LAG) * LAG_STEP_S,
            "off_camera": bool(scores[0] < 0),
            "closeness": float(best[0]),
            "chance_closeness": by_chance,
        }
        return Score(row, scores[1:])

    def _shuffled(self, others: Sequence[Signal], n_moments: int) -> Iterator[Signal]:
        """Sounds of other people, each from its beginning and, where it is too short, followed by the next.

        To repeat a short sound would not do: no mouth goes with what repeats itself. Where there are few
        others, each is taken several times, from another moment on.
        """
        n_others = min(len(others), max(1, len(self.donors) - 1))  # as many for every clip
        n_turns = -(-_LEAST_SHUFFLED // n_others)
        lengths = [len(sound) for sound in others]
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        tape = np.concatenate(others)
        for turn in range(n_turns):
            for start, length in zip(starts[:n_others], lengths, strict=False):
                first = start + turn * length // n_turns
                yield level_sound(tape.take(np.arange(first, first + n_moments), axis=0, mode="wrap")).values


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
        mouth, sound = _looked_at(clip)
        if _useless(mouth, sound) or not person.teaches:
            continue
        fold = folds[person.group]
        evidence[fold] = evidence[fold].plus(see_and_hear(mouth.values, sound.values))
        donor = donors.get(person.group, clip)
        donors[person.group] = min(donor, clip, key=lambda one: rank(f"{one.corpus}/{one.clip_id}"))
        if len(donors) > _MOST_SHUFFLED + 1:  # one more, for the clips of whose group one is
            del donors[max(donors, key=rank)]
    total = reduce(Evidence.plus, evidence)
    couplings = [learn(total.plus(one, times=-1)) for one in evidence]
    longest = round(_LONGEST_S / LAG_STEP_S)
    sounds = {group: donors[group].sound[:longest] for group in sorted(donors, key=rank)}
    return Standard(people, folds, couplings, sounds)


def rank(name: str) -> str:
    """A place in an order that has nothing to do with what is ordered."""
    return hashlib.sha256(name.encode()).hexdigest()


def _looked_at(clip: Clip) -> tuple[Levelled, Levelled]:
    """Mouth and sound of a clip as far as there are both, up to _LONGEST_S."""
    with_sound = min(len(clip.mouth), -(-len(clip.sound) // SOUNDS_PER_PICTURE))
    n_pictures = min(with_sound, round(_LONGEST_S * PICTURES_PER_S))
    sound = clip.sound[: n_pictures * SOUNDS_PER_PICTURE]
    return level_mouth(clip.mouth[:n_pictures]), level_sound(sound)


def _useless(mouth: Levelled, sound: Levelled) -> str | None:
    """Why nothing can be said of a mouth and a sound."""
    if len(mouth.values) < SHORTEST_S * PICTURES_PER_S:
        return f"shorter than {SHORTEST_S:.0f} s"
    if sound.spread < _SILENT_DB:
        return "silent"
    return "static face" if mouth.spread < _STATIC else None
