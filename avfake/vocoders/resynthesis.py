"""Resynthesis of a clip by any vocoder: the same length, the same time axis, bounded memory."""

from collections.abc import Iterator

import numpy as np
import torch

from avfake.audio.align import measure_lag
from avfake.audio.blur import Blur, blur_mel
from avfake.audio.io import SAMPLE_RATE, Waveform, fit_length, resample
from avfake.audio.mel import log_mel
from avfake.errors import ClipError, ErrorKind
from avfake.vocoders.base import MelVocoder, Vocoder

_SHORTEST_S = 0.25  # what is shorter is mirrored to this: longer than any transform or receptive field
_PIECE_S = 60.0  # longer clips are made in pieces of this, so that an hour needs no more memory
_CONTEXT_S = 1.0  # of sound before and after each piece, made and thrown away
_FADE_S = 0.02  # from one piece to the next
_EDGE_S = 0.02  # mirrored on at both ends of the clip, so that a lag can be taken back
_LAG_S = 0.0005  # a smaller one cannot be told from none


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
    if not len(waveform):
        raise ClipError(ErrorKind.TOO_SHORT, "clip has no samples; at least one is needed")
    if not np.isfinite(waveform).all():
        raise ClipError(ErrorKind.NOT_FINITE, "clip holds NaN or infinite samples; they cannot be vocoded")
    rate = vocoder.mel.sample_rate if isinstance(vocoder, MelVocoder) else vocoder.sample_rate
    sound = resample(waveform, SAMPLE_RATE, rate)
    edge = _up_to_hop(vocoder, round(_EDGE_S * rate))
    padded = np.pad(sound, edge, mode="reflect")
    made = np.zeros_like(padded)
    for heard, weight, kept in _pieces(len(padded), rate):
        made[heard][kept] += _make(vocoder, padded[heard], rate, blur)[kept] * weight
    if not np.isfinite(made).all():
        raise ClipError(ErrorKind.NOT_FINITE, f"vocoder {vocoder.name} made NaN or infinite samples")
    on_time = _without_lag(made, sound, edge, rate)
    return fit_length(resample(on_time, rate, SAMPLE_RATE), len(waveform))


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


def _pieces(n_samples: int, rate: int) -> Iterator[tuple[slice, Waveform, slice]]:
    """Cut ``n_samples`` into pieces: what to make, and the weight of which part of that.

    At every sample of the clip the weights of all pieces sum to one.
    """
    length, context, fade = (round(seconds * rate) for seconds in (_PIECE_S, _CONTEXT_S, _FADE_S))
    ramp = (np.arange(fade, dtype=np.float32) + 0.5) / fade
    for start in range(0, max(1, n_samples - context), length):
        last = start + length >= n_samples - context  # a rest shorter than the context joins its neighbour
        stop = n_samples if last else start + length + fade
        heard = slice(max(0, start - context), min(n_samples, stop + context))
        weight = np.ones(stop - start, np.float32)
        if start:
            weight[:fade] = ramp
        if not last:
            weight[-fade:] = ramp[::-1]
        yield heard, weight, slice(start - heard.start, stop - heard.start)


def _make(vocoder: Vocoder, sound: Waveform, rate: int, blur: Blur) -> Waveform:
    """One piece, [time], at the vocoder's rate; as long as ``sound``."""
    n_samples = _up_to_hop(vocoder, max(len(sound), round(_SHORTEST_S * rate)))
    padded = np.pad(sound, (0, n_samples - len(sound)), mode="reflect")
    made = _through_mel(vocoder, padded, blur) if isinstance(vocoder, MelVocoder) else vocoder(padded, blur)
    return made[: len(sound)]


def _up_to_hop(vocoder: Vocoder, n_samples: int) -> int:
    """The next whole number of Mel hops, in samples."""
    hop = vocoder.mel.hop_length if isinstance(vocoder, MelVocoder) else 1
    return -(-n_samples // hop) * hop


@torch.inference_mode()
def _through_mel(vocoder: MelVocoder, sound: Waveform, blur: Blur) -> Waveform:
    mel = log_mel(torch.from_numpy(sound)[None], vocoder.mel)
    made: Waveform = vocoder(blur_mel(mel, blur, vocoder.mel))[0].float().cpu().numpy()
    return made
