"""What a lossy codec takes from a sound, in memory, with its delay taken away."""

from fractions import Fraction
from functools import cache
from typing import NamedTuple, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from avfake.audio.io import SAMPLE_RATE, Waveform, fit_length, resample


class Codec(NamedTuple):
    """How FFmpeg calls a codec, and what it takes.

    Attributes:
        encoder: Name of the encoder.
        decoder: Name of the decoder.
        sample_format: Of the encoder, float.
        sample_rate: Of the encoder and the decoder, in Hz.
        bit_rates: Sensible for a voice, in bits per second.
    """

    encoder: str
    decoder: str
    sample_format: str
    sample_rate: int
    bit_rates: tuple[int, ...]


CODECS = {
    "aac": Codec("aac", "aac", "fltp", SAMPLE_RATE, (24_000, 32_000, 48_000, 64_000, 96_000)),
    "mp3": Codec("libmp3lame", "mp3float", "fltp", SAMPLE_RATE, (24_000, 32_000, 48_000, 64_000, 96_000)),
    "opus": Codec("libopus", "opus", "flt", 48_000, (12_000, 16_000, 24_000, 32_000, 64_000)),
}
_TAIL = 8192  # zeros behind the sound: more than any codec here holds back


def through_codec(waveform: Waveform, *, codec: str, bit_rate: int) -> Waveform:
    """Encode and decode a sound.

    Args:
        waveform: Mono, [time], at SAMPLE_RATE.
        codec: A key of CODECS.
        bit_rate: In bits per second.

    Returns:
        [time], as long as it came and in time with it.
    """
    chosen = CODECS[codec]
    there = resample(waveform, SAMPLE_RATE, chosen.sample_rate)
    coded = _coded(there, chosen, bit_rate)[_delay(chosen) :]
    back = resample(fit_length(coded, len(there)), chosen.sample_rate, SAMPLE_RATE)
    return np.clip(fit_length(back, len(waveform)), -1, 1)


def _coded(waveform: Waveform, codec: Codec, bit_rate: int) -> Waveform:
    """What the decoder gives, delay and all."""
    encoder = cast(AudioCodecContext, av.CodecContext.create(codec.encoder, "w"))
    encoder.sample_rate, encoder.layout, encoder.format = codec.sample_rate, "mono", codec.sample_format
    encoder.bit_rate = bit_rate
    padded = np.pad(waveform, (0, _TAIL))[None]
    frame = av.AudioFrame.from_ndarray(padded, format=codec.sample_format, layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = codec.sample_rate, 0, Fraction(1, codec.sample_rate)
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder = cast(AudioCodecContext, av.CodecContext.create(codec.decoder, "r"))
    decoder.extradata = encoder.extradata
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames], dtype=np.float32)


@cache
def _delay(codec: Codec) -> int:
    """Samples by which a codec delays: where noise passed through it matches itself."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=codec.sample_rate).astype(np.float32)
    coded = _coded(noise, codec, max(codec.bit_rates))
    n_fft = len(noise) + len(coded)
    product = np.fft.rfft(coded, n_fft) * np.conj(np.fft.rfft(noise, n_fft))
    return int(np.argmax(np.fft.irfft(product, n_fft)[: len(coded)]))
