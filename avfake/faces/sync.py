"""How well a mouth and a sound go together: projections of both that agree when the mouth makes the sound."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.faces.mouth import N_SHAPES, darkness
from avfake.video.sample import PICTURES_PER_S

SOUNDS_PER_PICTURE = 2
LAG_STEP_S = 1 / (SOUNDS_PER_PICTURE * PICTURES_PER_S)
N_BANDS = 12  # of the sound, as ``avfake.audio.activity`` hears it
_N_PARTS = 3
_STRETCH_S = 3.0  # by itself centred: what changes more slowly is the head and the scene, not speech
_LEAST_MOUTH, _LEAST_SOUND_DB = 0.05, 0.5  # spreads; what changes less is noise and shall stay small

# What is known before anything is learned: a mouth is open, hence dark, while there is much sound between
# 0.7 and 2.5 kHz, which are these bands. Below, hums sound through closed lips; above, hisses through teeth.
_OPEN_BANDS = slice(2, 8)
_OPEN_CORRELATION, _OPEN_WORTH = 0.4, 200.0  # pictures seen that this knowledge is worth
# Pictures of white noise that are added, so that rare shapes and bands do not decide: to those of a whole
# set, and to those of the one clip that is judged.
_MOUTH_RIDGE, _SOUND_RIDGE = 1000.0, 50.0
_CLIP_MOUTH_RIDGE, _CLIP_SOUND_RIDGE = 30.0, 10.0

Signal = NDArray[np.float64]


class Levelled(NamedTuple):
    """A signal of mouth or sound as it is compared.

    Attributes:
        values: [pictures, N_SHAPES] or [moments, N_BANDS]; around 0, spread about 1.
        spread: Standard deviation that it had before.
    """

    values: Signal
    spread: float


class Coupling(NamedTuple):
    """Which movements of mouths go with which changes of sounds.

    Attributes:
        mouth: Directions of levelled shapes, [N_SHAPES, parts].
        sound: Directions of levelled bands, [N_BANDS, parts].
        strengths: Correlation to expect along each pair of directions, [parts].
    """

    mouth: Signal
    sound: Signal
    strengths: Signal


class Evidence(NamedTuple):
    """Sums over pictures of mouths that make the sound beside them: all that a coupling is learned from.

    Attributes:
        n_pictures: Pictures seen.
        mouth: Products of shapes with shapes, [N_SHAPES, N_SHAPES].
        sound: Products of bands with bands, [N_BANDS, N_BANDS].
        both: Products of shapes with bands, [N_SHAPES, N_BANDS].
    """

    n_pictures: int
    mouth: Signal
    sound: Signal
    both: Signal

    def plus(self, other: "Evidence", *, times: int = 1) -> "Evidence":
        """Add other evidence, or with ``times=-1`` take it away."""
        return Evidence(
            self.n_pictures + times * other.n_pictures,
            self.mouth + times * other.mouth,
            self.sound + times * other.sound,
            self.both + times * other.both,
        )


def no_evidence() -> Evidence:
    """Nothing seen yet."""
    shapes, bands = np.zeros((N_SHAPES, N_SHAPES)), np.zeros((N_BANDS, N_BANDS))
    return Evidence(0, shapes, bands, np.zeros((N_SHAPES, N_BANDS)))


def see_and_hear(mouth: Signal, sound: Signal) -> Evidence:
    """What one clip teaches.

    Args:
        mouth: Levelled shapes, [pictures, N_SHAPES].
        sound: Levelled bands, [moments, N_BANDS].
    """
    n_pictures = min(len(mouth), -(-len(sound) // SOUNDS_PER_PICTURE))
    shapes, bands = mouth[:n_pictures], sound[::SOUNDS_PER_PICTURE][:n_pictures]
    return Evidence(n_pictures, shapes.T @ shapes, bands.T @ bands, shapes.T @ bands)


def learn(evidence: Evidence) -> Coupling:
    """Find the projections of mouth and sound that agree best in what was seen.

    Little evidence leaves what is known of any mouth: that it is dark, because open, while there is much
    sound between 0.7 and 2.5 kHz.

    Reference:
        Hotelling, 1936, relations between two sets of variates: canonical correlations, with ridges as in
        Vinod, 1976.
    """
    open_sound = np.zeros(N_BANDS)
    open_sound[_OPEN_BANDS] = 1.0
    mouth = evidence.mouth + _MOUTH_RIDGE * np.eye(N_SHAPES)
    sound = evidence.sound + _SOUND_RIDGE * np.eye(N_BANDS)
    known = _OPEN_CORRELATION * _OPEN_WORTH / (_OPEN_WORTH + evidence.n_pictures)
    both = evidence.both + known * _unit(mouth, darkness()[:, None]) @ _unit(sound, open_sound[:, None]).T
    whiten_mouth, whiten_sound = _whitening(mouth), _whitening(sound)
    left, strengths, right = np.linalg.svd(whiten_mouth @ both @ whiten_sound.T)
    directions = whiten_mouth.T @ left[:, :_N_PARTS], whiten_sound.T @ right[:_N_PARTS].T
    return Coupling(*directions, strengths[:_N_PARTS])


def level_mouth(shapes: NDArray[np.floating]) -> Levelled:
    """Centre shapes, [pictures, N_SHAPES], stretch by stretch, and bring them to one spread over all."""
    centred = _centred(shapes, PICTURES_PER_S)
    spread = float(centred.std()) if centred.size else 0.0
    return Levelled(centred / max(spread, _LEAST_MOUTH), spread)


def level_sound(bands: NDArray[np.floating]) -> Levelled:
    """Centre bands in dB, [moments, N_BANDS], stretch by stretch, and bring each to one spread."""
    centred = _centred(bands, PICTURES_PER_S * SOUNDS_PER_PICTURE)
    if not centred.size:
        return Levelled(centred, 0.0)
    return Levelled(centred / np.maximum(centred.std(axis=0), _LEAST_SOUND_DB), float(centred.std()))


def closeness(known: Coupling, mouth: Signal, sounds: Signal, *, longest_lag: int) -> Signal:
    """Measure how closely a mouth goes together with sounds, shifted against it.

    It is the sum of the squared canonical correlations of mouth and sound within the clip, to whose
    covariance the known coupling is added. Thus a clip also shows how its own speaker's mouth goes with
    the sound, which no other clip tells. A mouth and any sound reach some closeness, the more the shorter
    they are: only that with other sounds of the same length tells what it is worth.

    Args:
        known: What is known of mouths and sounds.
        mouth: Levelled shapes, [pictures, N_SHAPES].
        sounds: Levelled bands of one or more sounds, [sounds, moments, N_BANDS].
        longest_lag: Steps of LAG_STEP_S that a sound may be early or late.

    Returns:
        [sounds, 2 * longest_lag + 1], not negative; the first column is for a sound that is ``longest_lag``
        steps early, the last for one as late.

    Reference:
        Pillai, 1955, some new test criteria in multivariate analysis.
    """
    places = SOUNDS_PER_PICTURE * np.arange(len(mouth))
    found = np.zeros((len(sounds), 2 * longest_lag + 1))
    for column, lag in enumerate(range(-longest_lag, longest_lag + 1)):
        there = (places + lag >= 0) & (places + lag < sounds.shape[1])
        found[:, column] = _closeness(known, mouth[there], sounds[:, places[there] + lag])
    return found


def _closeness(known: Coupling, mouth: Signal, sounds: Signal) -> Signal:
    """Of shapes and bands at the same moments, [pictures, ...] and [sounds, pictures, ...] -> [sounds]."""
    mouth_sums = mouth.T @ mouth + _CLIP_MOUTH_RIDGE * np.eye(N_SHAPES)
    sound_sums = np.swapaxes(sounds, 1, 2) @ sounds + _CLIP_SOUND_RIDGE * np.eye(N_BANDS)
    expected = _unit(mouth_sums, known.mouth) * known.strengths
    both = mouth.T @ sounds + expected @ np.swapaxes(_unit(sound_sums, known.sound), 1, 2)
    correlations = _whitening(mouth_sums) @ both @ np.swapaxes(_whitening(sound_sums), 1, 2)
    return np.asarray(np.square(correlations).sum(axis=(1, 2)))


def _centred(signal: NDArray[np.floating], rate: int) -> Signal:
    """Each stretch of about three seconds less its mean."""
    n_stretches = max(1, round(len(signal) / (_STRETCH_S * rate)))
    stretches = np.array_split(np.asarray(signal, np.float64), n_stretches)
    return np.concatenate(
        [stretch - stretch.mean(axis=0) if len(stretch) else stretch for stretch in stretches]
    )


def _whitening(sums: Signal) -> Signal:
    """What makes white noise of signals with these sums of products, [..., columns, columns]."""
    return np.asarray(np.linalg.inv(np.linalg.cholesky(sums)))


def _unit(sums: Signal, directions: Signal) -> Signal:
    """Products with directions, [columns, parts], each brought to such length that its own product is 1."""
    products = sums @ directions
    own = np.einsum("cp,...cp->...p", directions, products)
    unit: Signal = products / np.sqrt(own)[..., None, :]
    return unit
