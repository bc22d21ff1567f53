import librosa
import numpy as np
import pytest

from avfake.audio.activity import BANDS_PER_S, N_BANDS, band_centres_hz, speech_bands
from tests.dummies import clicks, speech_like, tone

RATE = 22_050


def test_every_moment_inside_the_sound_is_there() -> None:
    assert speech_bands(tone(300, 1.0), RATE).shape == (BANDS_PER_S, N_BANDS)
    assert len(speech_bands(tone(300, 1.01), RATE)) == BANDS_PER_S + 1
    assert speech_bands(np.zeros(0, np.float32), RATE).shape == (0, N_BANDS)


def test_loudness_does_not_count() -> None:
    sound = speech_like(2.0)
    np.testing.assert_allclose(speech_bands(sound / 16, RATE), speech_bands(sound, RATE), atol=1e-3)


def test_a_click_is_heard_at_its_moment() -> None:
    for moment in (7, 20, 33):
        bands = speech_bands(clicks([moment / BANDS_PER_S], 2.0, RATE), RATE)
        assert bands.mean(axis=1).argmax() == moment


@pytest.mark.parametrize("band", [1, 4, 8, 11])
def test_a_tone_is_loudest_in_the_band_around_it(band: int) -> None:
    bands = speech_bands(tone(float(band_centres_hz()[band]), 1.0), RATE)
    assert (bands[2:-2].argmax(axis=1) == band).all()


def test_bands_are_librosas_with_a_floor() -> None:
    sound = speech_like(2.0)
    window = round(0.1 * RATE)
    power = librosa.feature.melspectrogram(
        y=np.pad(sound, (window // 2, window)),
        sr=RATE,
        n_fft=window,
        hop_length=RATE // 2,
        center=False,
        n_mels=N_BANDS,
        fmin=60,
        fmax=8000,
    )
    found = speech_bands(sound, RATE)
    shift = 10 * np.log10(10 ** (found[10] / 10) - 1e-3) - 10 * np.log10(power[:, 1])
    assert np.ptp(shift) < 0.02  # the mean over the clip, of all bands alike


def test_digital_silence_gives_zeros() -> None:
    assert not speech_bands(np.zeros(RATE, np.float32), RATE).any()


def test_long_sound_is_heard_like_its_pieces() -> None:
    long = speech_like(40.0)
    middle = speech_bands(long[10 * RATE : 20 * RATE], RATE)
    steps = np.diff(speech_bands(long, RATE)[204:396], axis=0), np.diff(middle[4:196], axis=0)
    assert np.abs(steps[0] - steps[1]).mean() < 0.1  # but for the floor, which depends on the mean
