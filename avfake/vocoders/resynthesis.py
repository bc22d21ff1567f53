"""Resynthesis of clips by any vocoder: the same length, the same time axis, bounded memory."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from avfake.audio.align import measure_lag
from avfake.audio.blur import Blur, blur_mel
from avfake.audio.io import SAMPLE_RATE, Waveform, fit_length, resample
from avfake.audio.mel import log_mel
from avfake.errors import ClipError, ErrorKind
from avfake.vocoders.base import MelVocoder, SideBySide, Vocoder
from avfake.vocoders.pieces import Piece, cut_pieces

_SHORTEST_S = 0.25  # what is shorter is mirrored to this: longer than any transform or receptive field
_EDGE_S = 0.02  # mirrored on at both ends of the clip, so that a lag can be taken back
_LAG_S = 0.0005  # a smaller one cannot be told from none


class Clip(NamedTuple):
    """What is to be made anew.

    Attributes:
        waveform: Mono, [time], at SAMPLE_RATE.
        blur: Of the log-Mel, or of WORLD's log envelope.
    """

    waveform: Waveform
    blur: Blur


def resynthesize(vocoder: Vocoder, waveform: Waveform, blur: Blur) -> Waveform:
    """Analyse a waveform and let a vocoder make it anew.

    Neither loudness nor silence is touched here, and what a vocoder makes beyond [-1, 1] stays.

    Args:
        vocoder: From ``load_vocoder``.
        waveform: Mono, [time], at SAMPLE_RATE.
        blur: Of the log-Mel, or of WORLD's log envelope.

    Returns:
        [time], at SAMPLE_RATE; sample n belongs to sample n of ``waveform``.

    Raises:
        ClipError: The waveform is empty or not finite, or what the vocoder made is not finite.
    """
    (made,) = resynthesize_together(vocoder, [Clip(waveform, blur)])
    if isinstance(made, ClipError):
        raise made
    return made


def resynthesize_together(vocoder: Vocoder, clips: Sequence[Clip]) -> list[Waveform | ClipError]:
    """Resynthesize several clips, side by side where the vocoder gains from it.

    Returns:
        For each clip what ``resynthesize`` gives, or the error that it raises.
    """
    errors = [_unusable(clip.waveform) for clip in clips]
    takes = [error or _Take(vocoder, clip) for error, clip in zip(errors, clips, strict=True)]
    _make(vocoder, [take for take in takes if isinstance(take, _Take)])
    return [take.finished() if isinstance(take, _Take) else take for take in takes]


def _unusable(waveform: Waveform) -> ClipError | None:
    if not len(waveform):
        return ClipError(ErrorKind.TOO_SHORT, "clip has no samples; at least one is needed")
    if not np.isfinite(waveform).all():
        return ClipError(ErrorKind.NOT_FINITE, "clip holds NaN or infinite samples; they cannot be vocoded")
    return None


class _Take:
    """A clip at the vocoder's rate, a little longer at both ends, and what has been made of it."""

    def __init__(self, vocoder: Vocoder, clip: Clip) -> None:
        self.vocoder, self.clip = vocoder, clip
        self.rate = vocoder.mel.sample_rate if isinstance(vocoder, MelVocoder) else vocoder.sample_rate
        self.sound = resample(clip.waveform, SAMPLE_RATE, self.rate)
        self.edge = _up_to_hop(vocoder, round(_EDGE_S * self.rate))
        self.padded = np.pad(self.sound, self.edge, mode="reflect")
        self.made = np.zeros_like(self.padded)

    def finished(self) -> Waveform | ClipError:
        """What was made, on time, at SAMPLE_RATE."""
        if not np.isfinite(self.made).all():
            name = self.vocoder.name
            return ClipError(ErrorKind.NOT_FINITE, f"vocoder {name} made NaN or infinite samples")
        on_time = _without_lag(self.made, self.sound, self.edge, self.rate)
        return fit_length(resample(on_time, self.rate, SAMPLE_RATE), len(self.clip.waveform))


def _without_lag(made: Waveform, sound: Waveform, edge: int, rate: int) -> Waveform:
    """The part of ``made``, which reaches ``edge`` samples further at both ends, that belongs to ``sound``.

    WORLD rings after each pulse as no voice does, so it is late by up to 5 ms, depending on the voice; and a
    strong blur shifts uneven envelopes by about a millisecond. What can be told from zero is taken back.
    """
    late = 0
    for n_parts in (1, 2, 2):  # with a strong blur the measure jumps across zero, so half steps follow
        lag = measure_lag(sound, made[edge + late :][: len(sound)], rate, longest_s=_EDGE_S)
        if lag is None or abs(lag) <= _LAG_S:
            break
        late = int(np.clip(late + round(lag / n_parts * rate), -edge, edge))
    return made[edge + late :][: len(sound)]


def _make(vocoder: Vocoder, takes: Sequence[_Take]) -> None:
    """Fill what is to be made of some clips."""
    places = [(take, piece) for take in takes for piece in cut_pieces(len(take.padded), take.rate)]
    if isinstance(vocoder, SideBySide):
        made = _side_by_side(vocoder, places)
    else:
        made = (_alone(vocoder, take, piece) for take, piece in places)
    for (take, piece), waveform in zip(places, made, strict=True):
        take.made[piece.heard][piece.kept] += waveform[piece.kept] * piece.weight


@torch.inference_mode()
def _side_by_side(vocoder: SideBySide, places: Sequence[tuple[_Take, Piece]]) -> Iterator[Waveform]:
    mels = [_blurred_mel(vocoder, take, piece) for take, piece in places]
    yield from (_array(waveform) for waveform in vocoder.make(mels))


@torch.inference_mode()
def _alone(vocoder: Vocoder, take: _Take, piece: Piece) -> Waveform:
    if isinstance(vocoder, MelVocoder):
        return _array(vocoder(_blurred_mel(vocoder, take, piece)[None])[0])
    return vocoder(_long_enough(vocoder, take, piece), take.clip.blur)


def _blurred_mel(vocoder: MelVocoder, take: _Take, piece: Piece) -> Tensor:
    """Log-Mel of a piece, [n_mels, mel_frames]."""
    mel = log_mel(torch.from_numpy(_long_enough(vocoder, take, piece))[None], vocoder.mel)
    return blur_mel(mel, take.clip.blur, vocoder.mel)[0]


def _long_enough(vocoder: Vocoder, take: _Take, piece: Piece) -> Waveform:
    """What is heard of a piece, mirrored up to a whole number of hops and no less than any vocoder needs."""
    sound = take.padded[piece.heard]
    n_samples = _up_to_hop(vocoder, max(len(sound), round(_SHORTEST_S * take.rate)))
    return np.pad(sound, (0, n_samples - len(sound)), mode="reflect")


def _up_to_hop(vocoder: Vocoder, n_samples: int) -> int:
    """The next whole number of Mel hops, in samples."""
    hop = vocoder.mel.hop_length if isinstance(vocoder, MelVocoder) else 1
    return -(-n_samples // hop) * hop


def _array(waveform: Tensor) -> Waveform:
    array: Waveform = waveform.float().cpu().numpy()
    return array
