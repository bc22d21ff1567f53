"""Log-Mel extraction of 1000 clips of 3 s: avfake beside librosa, same configuration, two threads.

Run from the root of the checkout: python -m tests.benchmarks.bench_mel [number of clips]
"""

import sys
import time

import librosa
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from avfake.audio.mel import MelConfig, log_mel
from tests.dummies import speech_like

CONFIG = MelConfig()
CLIP_S = 3.0
N_ROUNDS = 10  # the two take turns, so that whatever else the machine does slows both
BATCH = 64


def main(n_clips: int) -> None:
    torch.set_num_threads(2)
    seconds = {"avfake": [], "librosa": []}
    difference = 0.0
    with threadpool_limits(2):
        measure(speech_clips(0, 8))  # whatever is loaded or compiled on first use
        for number in range(N_ROUNDS):
            clips = speech_clips(number, n_clips // N_ROUNDS)
            ours_s, theirs_s, largest = measure(clips)
            seconds["avfake"].append(ours_s)
            seconds["librosa"].append(theirs_s)
            difference = max(difference, largest)
    for name, times in seconds.items():
        rate = n_clips / sum(times)
        print(f"{name}: {rate:.0f} clips/s, {rate * CLIP_S:.0f} s of sound per s")
    ratios = np.divide(seconds["librosa"], seconds["avfake"])
    total = sum(seconds["librosa"]) / sum(seconds["avfake"])
    print(f"ratio: {total:.1f} over all, {ratios.min():.1f} to {ratios.max():.1f} in {N_ROUNDS} rounds")
    print(f"largest difference: {difference:.1e}")


def measure(clips: np.ndarray) -> tuple[float, float, float]:
    """Seconds of either, and the largest difference of their results."""
    times_s, mels = [], []
    for work in (with_avfake, with_librosa):
        start = time.perf_counter()
        mels.append(work(clips))
        times_s.append(time.perf_counter() - start)
    return times_s[0], times_s[1], float(np.abs(mels[0] - mels[1]).max())


def speech_clips(number: int, n_clips: int) -> np.ndarray:
    """Windows of one long speech-like sound with quiet high bands, [clip, time]."""
    sound = speech_like(10 * CLIP_S, CONFIG.sample_rate, seed=number)
    length = round(CLIP_S * CONFIG.sample_rate)
    starts = np.linspace(0, len(sound) - length, n_clips).astype(int)
    return np.stack([sound[start : start + length] for start in starts])


def with_avfake(clips: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return torch.cat([log_mel(batch, CONFIG) for batch in torch.from_numpy(clips).split(BATCH)]).numpy()


def with_librosa(clips: np.ndarray) -> np.ndarray:
    return np.stack([librosa_log_mel(clip) for clip in clips])


def librosa_log_mel(clip: np.ndarray) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=np.pad(clip, CONFIG.edge, mode="reflect"),
        sr=CONFIG.sample_rate,
        n_fft=CONFIG.n_fft,
        hop_length=CONFIG.hop_length,
        n_mels=CONFIG.n_mels,
        fmin=CONFIG.fmin,
        fmax=CONFIG.fmax,
        power=1,
        center=False,
    )
    return np.log(np.maximum(mel, CONFIG.floor))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
