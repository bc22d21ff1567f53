"""Resynthesis of a clip by any vocoder: the same length, the same time axis, bounded memory."""

from collections.abc import Iterator

import numpy as np
import torch

from avfake.audio.blur import Blur, blur_mel
from avfake.audio.io import SAMPLE_RATE, Waveform, fit_length, resample
from avfake.audio.mel import log_mel
from avfake.errors import ClipError, ErrorKind
from avfake.vocoders.base import MelVocoder, Vocoder

_SHORTEST_S = 0.25  # what is shorter is mirrored to this: longer than any transform or receptive field
_PIECE_S = 60.0  # longer clips are made in pieces of this, so that an hour needs no more memory
_CONTEXT_S = 1.0  # of sound before and after each piece, made and thrown away
_FADE_S = 0.02  # from one piece to the next


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
    made = np.zeros_like(sound)
    for heard, weight, kept in _pieces(len(sound), rate):
        made[heard][kept] += _make(vocoder, sound[heard], rate, blur)[kept] * weight
    if not np.isfinite(made).all():
        raise ClipError(ErrorKind.NOT_FINITE, f"vocoder {vocoder.name} made NaN or infinite samples")
    return fit_length(resample(made, rate, SAMPLE_RATE), len(waveform))


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
    hop = vocoder.mel.hop_length if isinstance(vocoder, MelVocoder) else 1
    shortest = max(len(sound), round(_SHORTEST_S * rate))
    padded = np.pad(sound, (0, -(-shortest // hop) * hop - len(sound)), mode="reflect")
    made = _through_mel(vocoder, padded, blur) if isinstance(vocoder, MelVocoder) else vocoder(padded, blur)
    return made[: len(sound)]


@torch.inference_mode()
def _through_mel(vocoder: MelVocoder, sound: Waveform, blur: Blur) -> Waveform:
    mel = log_mel(torch.from_numpy(sound)[None], vocoder.mel)
    made: Waveform = vocoder(blur_mel(mel, blur, vocoder.mel))[0].float().cpu().numpy()
    return made
