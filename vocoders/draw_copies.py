"""Draws spectrograms of a sound and of its copies by vocoders: python vocoders/draw_copies.py --help."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib.figure import Figure
from scipy.signal import ShortTimeFFT, get_window

from avfake.audio.blur import Blur
from avfake.audio.io import SAMPLE_RATE, Waveform, load_flac, resample
from avfake.vocoders.registry import load_vocoder
from avfake.vocoders.resynthesis import resynthesize

_DURATION_S = 1.6
_RANGE_DB = 70.0


def main(
    vocoders: Annotated[list[str], typer.Argument(help="Names, as avfake vocoders lists them.")],
    sound: Annotated[Path, typer.Option(help="FLAC file; its beginning is drawn.")],
    out: Annotated[Path, typer.Option(help="PNG file.")],
) -> None:
    """Draw the original above its copies, all on one scale."""
    waveform, sample_rate = load_flac(sound)
    original = resample(waveform, sample_rate, SAMPLE_RATE)
    copies = {name: resynthesize(load_vocoder(name), original, Blur()) for name in vocoders}
    panels = {"original": original, **copies}
    figure = Figure(figsize=(9, 1.5 * len(panels)), layout="constrained")
    for axes, (name, panel) in zip(figure.subplots(len(panels), 1, sharex=True), panels.items(), strict=True):
        levels = _spectrogram_db(panel)
        top = _spectrogram_db(original).max()
        extent = (0, _DURATION_S, 0, SAMPLE_RATE / 2000)
        axes.imshow(
            levels, "magma", aspect="auto", origin="lower", extent=extent, vmin=top - _RANGE_DB, vmax=top
        )
        axes.set_ylabel("kHz")
        axes.text(0.01, 0.94, name, color="white", va="top", transform=axes.transAxes)
    axes.set_xlabel("s")
    figure.savefig(out, dpi=80)


def _spectrogram_db(waveform: Waveform) -> np.ndarray:
    """Levels, [frequency, frames], of 23 ms frames every 3 ms."""
    transform = ShortTimeFFT(get_window("hann", 512), 64, SAMPLE_RATE)
    power = transform.spectrogram(waveform[: round(_DURATION_S * SAMPLE_RATE)].astype(np.float64))
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))


if __name__ == "__main__":
    typer.run(main)
