"""What is said: syllables and pauses, each with its formants, loudness and shape of the mouth."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Phoneme:
    """Targets of one sound.

    Attributes:
        formants_hz: First three formants of an adult male.
        voicing: Loudness of the glottal source, 0 to 1.
        frication: Loudness of the noise source, 0 to 1.
        noise_hz: Centre of the noise.
        opening: Of the mouth, 0 closed to 1 wide open.
        width: Of the mouth, 1 at rest, less when rounded.
    """

    formants_hz: tuple[float, float, float]
    voicing: float
    frication: float = 0.0
    noise_hz: float = 5000.0
    opening: float = 0.0
    width: float = 1.0


# Formants: Peterson and Barney, 1952, table II, men.
VOWELS = {
    "a": Phoneme((730, 1090, 2440), 1.0, opening=1.0, width=0.98),
    "ae": Phoneme((660, 1720, 2410), 0.95, opening=0.85, width=1.1),
    "e": Phoneme((530, 1840, 2480), 0.85, opening=0.62, width=1.12),
    "er": Phoneme((490, 1350, 1690), 0.75, opening=0.48, width=0.92),
    "i": Phoneme((270, 2290, 3010), 0.6, opening=0.34, width=1.22),
    "o": Phoneme((570, 840, 2410), 0.85, opening=0.66, width=0.74),
    "u": Phoneme((300, 870, 2240), 0.6, opening=0.34, width=0.62),
}
CONSONANTS = {
    "m": Phoneme((250, 1100, 2200), 0.25),
    "b": Phoneme((250, 900, 2200), 0.06),
    "d": Phoneme((300, 1700, 2600), 0.08, opening=0.16),
    "l": Phoneme((360, 1200, 2600), 0.45, opening=0.32),
    "s": Phoneme((320, 1600, 2600), 0.0, 0.30, 6800, opening=0.13, width=1.1),
    "sh": Phoneme((320, 1800, 2500), 0.0, 0.36, 3300, opening=0.2, width=0.76),
    "f": Phoneme((320, 1300, 2400), 0.0, 0.12, 7500, opening=0.06),
}
SILENCE = Phoneme((500, 1500, 2500), 0.0)


@dataclass(frozen=True)
class Segment:
    """One phoneme in time.

    Attributes:
        phoneme: What sounds.
        duration_s: How long.
        stress: Factor on its loudness and opening.
        pitch: Factor on the speaker's pitch.
    """

    phoneme: Phoneme
    duration_s: float
    stress: float = 1.0
    pitch: float = 1.0


def compose(rng: np.random.Generator, *, duration_s: float, rate: float) -> list[Segment]:
    """Phrases of a few syllables with pauses between them, silent at both ends.

    Args:
        rng: Decides what is said.
        duration_s: Of the whole; the last phrase is cut to leave a silent end.
        rate: Speed; 1 is about 4 syllables a second.
    """
    segments = [Segment(SILENCE, rng.uniform(0.12, 0.3))]
    end = duration_s - rng.uniform(0.15, 0.3)
    time = segments[0].duration_s
    while time < end - 0.3:
        phrase = _phrase(rng, rate)
        for segment in phrase:
            if time + segment.duration_s > end:
                break
            segments.append(segment)
            time += segment.duration_s
        pause = Segment(SILENCE, rng.uniform(0.18, 0.4))
        segments.append(pause)
        time += pause.duration_s
    return [*segments, Segment(SILENCE, max(0.0, duration_s - time))]


def _phrase(rng: np.random.Generator, rate: float) -> list[Segment]:
    n_syllables = int(rng.integers(3, 8))
    segments = []
    for number in range(n_syllables):
        stress = rng.uniform(0.62, 1.0)
        pitch = (1.08 - 0.16 * number / n_syllables) * (1 + 0.12 * (stress - 0.8))
        consonant = CONSONANTS[str(rng.choice(list(CONSONANTS)))]
        vowel = VOWELS[str(rng.choice(list(VOWELS)))]
        segments.append(Segment(consonant, rng.uniform(0.055, 0.095) / rate, 1.0, pitch))
        segments.append(Segment(vowel, rng.uniform(0.12, 0.23) * (0.7 + 0.4 * stress) / rate, stress, pitch))
    return segments
