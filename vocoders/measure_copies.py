"""Measures how near vocoders come to what they copy: python vocoders/measure_copies.py --help."""

import math
import time
import warnings
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from train_embedded import NEVER_SEEN, speaker_of, split_by_speaker

from avfake.audio.align import measure_lag
from avfake.audio.blur import Blur
from avfake.audio.io import SAMPLE_RATE, Waveform, load_flac, resample
from avfake.audio.measure import log_spectral_distance_db
from avfake.audio.mel import MelConfig, log_mel
from avfake.vocoders.base import Vocoder
from avfake.vocoders.registry import load_vocoder
from avfake.vocoders.resynthesis import resynthesize

with warnings.catch_warnings():  # it imports pkg_resources, which is deprecated
    warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
    import pyworld

_DURATION_S = 3.0


def measure_copy(vocoder: Vocoder, sound: Waveform) -> dict[str, float]:
    """How far copy synthesis of a sound, [time], at SAMPLE_RATE, is from it, and the time it takes."""
    began = time.process_time()
    made = resynthesize(vocoder, sound, Blur())
    spent_s = time.process_time() - began
    before, after = (log_mel(torch.from_numpy(one)[None], MelConfig()) for one in (sound, made))
    pitches = [_pitch_hz(sound), _pitch_hz(made)]
    voiced = np.minimum(*pitches) > 0
    cents = 1200 * np.abs(np.log2(pitches[1][voiced] / pitches[0][voiced]))
    lag_s = measure_lag(sound, made, SAMPLE_RATE)
    return {
        "Mel error": float((after - before).abs().mean()),
        "LSD in dB": log_spectral_distance_db(sound, made),
        "F0 error in cents": float(np.median(cents)) if len(cents) else math.nan,
        "voicing error in %": 100 * float(np.mean((pitches[0] > 0) != (pitches[1] > 0))),
        "lag in ms": math.nan if lag_s is None else 1000 * abs(lag_s),
        "s for 3 s": spent_s * 3 * SAMPLE_RATE / len(sound),
    }


def _pitch_hz(sound: Waveform) -> NDArray[np.float64]:
    """Every 5 ms, zero where there is no voice."""
    wide = sound.astype(np.float64)
    pitch: NDArray[np.float64] = pyworld.stonemask(wide, *pyworld.dio(wide, SAMPLE_RATE), SAMPLE_RATE)
    return pitch


def main(
    vocoders: Annotated[list[str], typer.Argument(help="Names, as avfake vocoders lists them.")],
    speech: Annotated[Path, typer.Option(help="Folder with ljspeech/ and librispeech/.")],
    weights: Annotated[Path | None, typer.Option(help="Of melgan.embedded, if not those that ship.")] = None,
) -> None:
    """Copy clip LJ001-0002, and 3 s of each speaker that melgan.embedded has never heard."""
    torch.set_num_threads(1)
    libri = {speaker_of(path): path for path in reversed(split_by_speaker(speech)[1])}
    clips = {"LJ": [speech / "ljspeech" / f"{NEVER_SEEN}.flac"], "LibriSpeech": list(libri.values())}
    for name in vocoders:
        vocoder = load_vocoder(name, weights if weights and name == "melgan.embedded" else True)
        for group, paths in clips.items():
            sounds = [resample(*load_flac(path), SAMPLE_RATE) for path in paths]
            copies = [measure_copy(vocoder, sound[: round(_DURATION_S * SAMPLE_RATE)]) for sound in sounds]
            for key in copies[0]:
                values = np.array([copy[key] for copy in copies])
                spread = f"+- {values.std():.3f}, at most {values.max():.3f}" if len(values) > 1 else ""
                print(f"{name}, {group}, {key}: {values.mean():.3f} {spread}".rstrip(), flush=True)


if __name__ == "__main__":
    typer.run(main)
