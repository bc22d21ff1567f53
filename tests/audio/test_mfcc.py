"""Against python_speech_features' own numbers, and against the definition written out as sums."""

import numpy as np
import pytest

from avfake.audio.mfcc import HOP_LENGTH, N_MFCC, SAMPLE_RATE, mfcc

# python_speech_features 0.6: mfcc(chirp() * 32768, 16000), frames 0, 40 and 98 of 99.
REFERENCE = {
    0: [
        *(17.3545, -7.0135, 34.2045, -11.3537, -1.5900, -1.0010, -39.1798),
        *(8.3561, -58.6280, 8.6522, -49.2448, 0.8722, -22.1338),
    ],
    40: [
        *(20.2530, -1.9037, -17.9603, -47.0238, -14.0621, 17.4841, 16.1253),
        *(28.2177, -42.0938, -1.6440, -30.8232, 28.1969, 7.5520),
    ],
    98: [
        *(18.1606, -14.2145, -17.9539, -3.5131, 30.0286, -6.5171, -43.9592),
        *(47.5765, -17.0265, 10.0115, -37.7588, 36.9587, -6.7320),
    ],
}


def chirp() -> np.ndarray:
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    swept = np.sin(2 * np.pi * (200 * time_s + 900 * time_s**2))
    sound = 0.3 * swept * np.sin(2 * np.pi * 1.5 * time_s) + 0.01 * np.sin(35_000 * time_s)
    return sound.astype(np.float32)


def by_definition(frame: np.ndarray) -> list[float]:
    """Of one frame of 400 samples that are already pre-emphasized; sums, no transforms."""
    time, bins = np.arange(400), np.arange(257)
    spectrum = (frame * np.exp(-2j * np.pi * bins[:, None] * time / 512)).sum(axis=1)
    power = np.abs(spectrum) ** 2 / 512
    mels = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 28)
    corners = np.floor(513 * 700 * (10 ** (mels / 2595) - 1) / 16_000)
    logs = []
    for left, centre, right in zip(corners, corners[1:], corners[2:], strict=False):
        rising = np.where((bins >= left) & (bins < centre), (bins - left) / max(centre - left, 1), 0)
        falling = np.where((bins >= centre) & (bins < right), (right - bins) / max(right - centre, 1), 0)
        logs.append(np.log(power @ (rising + falling)))
    found = [float(np.log(power.sum()))]
    for number in range(1, 13):
        cosine = np.cos(np.pi * number * (2 * np.arange(26) + 1) / 52)
        found.append((1 + 11 * np.sin(np.pi * number / 22)) * np.sqrt(2 / 26) * float(cosine @ logs))
    return found


@pytest.mark.parametrize("frame", sorted(REFERENCE))
def test_numbers_are_those_of_python_speech_features(frame: int) -> None:
    found = mfcc(chirp())
    assert found.shape == (99, N_MFCC)
    np.testing.assert_allclose(found[frame], REFERENCE[frame], atol=2e-4)


def test_numbers_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    sound = (0.1 * rng.standard_normal(2_000)).astype(np.float32)
    samples = sound.astype(np.float64) * 32_768
    samples = np.append(samples[0], samples[1:] - 0.97 * samples[:-1])
    for number in (0, 3):
        frame = samples[number * HOP_LENGTH : number * HOP_LENGTH + 400]
        np.testing.assert_allclose(mfcc(sound)[number], by_definition(frame), atol=1e-4)


def test_the_last_frame_reaches_into_silence() -> None:
    assert len(mfcc(np.ones(400, np.float32))) == 1
    assert len(mfcc(np.ones(401, np.float32))) == 2
    assert len(mfcc(np.ones(10, np.float32))) == 1


def test_silence_is_finite() -> None:
    assert np.isfinite(mfcc(np.zeros(SAMPLE_RATE, np.float32))).all()
