import numpy as np
import pytest

from avfake.dataset.codec import CODECS, through_codec
from tests.dummies import clicks, speech_like

CASES = [(name, bit_rate) for name, codec in CODECS.items() for bit_rate in codec.bit_rates]


@pytest.mark.parametrize(("name", "bit_rate"), CASES)
def test_codec_keeps_length_and_time(name: str, bit_rate: int) -> None:
    sound = speech_like(1.5)[:30_011]
    coded = through_codec(sound, codec=name, bit_rate=bit_rate)
    assert coded.shape == sound.shape
    assert coded.dtype == np.float32
    n_fft = 2 * len(sound)
    match = np.fft.irfft(np.fft.rfft(coded, n_fft) * np.conj(np.fft.rfft(sound, n_fft)), n_fft)
    lag = int(np.argmax(match))
    assert min(lag, n_fft - lag) <= 1
    assert np.corrcoef(coded, sound)[0, 1] > 0.9
    assert not np.array_equal(coded, sound)


@pytest.mark.parametrize("name", CODECS)
def test_click_at_the_very_end_is_not_lost(name: str) -> None:
    sound = clicks([0.2, 0.985], 1.0, 22_050)
    coded = through_codec(sound, codec=name, bit_rate=64_000)
    assert abs(int(np.abs(coded[15_000:]).argmax()) + 15_000 - round(0.985 * 22_050)) <= 2
    assert np.abs(coded[-400:]).max() > 0.3


def test_lower_bit_rate_loses_more() -> None:
    sound = speech_like(1.0)
    for name, codec in CODECS.items():
        few, many = (
            np.square(through_codec(sound, codec=name, bit_rate=rate) - sound).sum()
            for rate in (codec.bit_rates[0], codec.bit_rates[-1])
        )
        assert few > 1.5 * many, name
