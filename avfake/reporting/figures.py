"""Pictures of a data set that explain it at a glance."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure

from avfake.audio.io import load_flac
from avfake.audio.mel import MelConfig, log_mel
from avfake.errors import AvfakeError
from avfake.files import inside, whole_file
from avfake.manifest.schema import SPLITS, Quadrant
from avfake.manifest.table import read_metadata
from avfake.reporting.frames import film_strip

REAL, FAKE = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermillion: safe for the colour-blind
_WIDTH_IN, _HEIGHT_IN, _DPI = 10.0, 6.2, 100
_COLUMNS = (
    "quadrant",
    "corpus",
    "clip_id",
    "identity_group",
    "video_method",
    "vocoder",
    "video_path",
    "audio_path",
    "start_s",
    "duration_s",
)
_ORDER = (Quadrant.REAL_REAL, Quadrant.REAL_FAKE, Quadrant.FAKE_REAL, Quadrant.FAKE_FAKE)


def four_quadrants(workspace: Path, split: str, path: Path, *, identity_group: str | None = None) -> None:
    """Explain the four quadrants in one picture: a row of each, its frames above its sound.

    Args:
        workspace: Folder of the workspace.
        split: Name of a split in it.
        path: Of the PNG to write.
        identity_group: Whose rows to show; by default the first group that has all four quadrants, so
            that the same people are seen and heard in all four.

    Raises:
        AvfakeError: The split does not exist, or lacks a quadrant.
        ClipError: A video or sound of the chosen rows is broken.
    """
    chosen = choose_rows(workspace / "splits" / split, identity_group)
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), facecolor="white")
    canvas = FigureCanvasAgg(figure)  # drawn without pyplot: a caller's figures and backend stay as they are
    cells = np.asarray(figure.subfigures(2, 2, wspace=0.02, hspace=0.03))
    for cell, quadrant in zip(cells.flat, _ORDER, strict=True):
        _draw_cell(cell, quadrant, chosen[quadrant], workspace)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        canvas.figure.savefig(
            file, format="png", dpi=_DPI, metadata={"Software": None}, pil_kwargs={"optimize": True}
        )


def choose_rows(folder: Path, identity_group: str | None = None) -> dict[Quadrant, Mapping[str, Any]]:
    """One row of each quadrant, of one identity group and of the same clip where the split allows.

    Args:
        folder: Of the split.
        identity_group: Whose rows; None for the first group that has all four quadrants.

    Raises:
        AvfakeError: The split does not exist, or lacks a quadrant.
    """
    tables = [folder / f"{name}.parquet" for name in SPLITS]
    if not all(table.exists() for table in tables):
        raise AvfakeError(f"{folder} is no finished split; run avfake build-split first")
    rows = [row for table in tables for row in pq.read_table(table, columns=list(_COLUMNS)).to_pylist()]
    rows.sort(key=lambda row: (row["identity_group"], row["corpus"], row["clip_id"]))
    for group, members in groupby(rows, key=lambda row: row["identity_group"]):
        by_quadrant: dict[Quadrant, list[Mapping[str, Any]]] = {quadrant: [] for quadrant in _ORDER}
        for row in members:
            by_quadrant[Quadrant(row["quadrant"])].append(row)
        if all(by_quadrant.values()) and identity_group in (None, group):
            return _most_alike(by_quadrant)
    whose = "no identity group has" if identity_group is None else f"identity group {identity_group!r} lacks"
    raise AvfakeError(f"{whose} rows of all four quadrants in {folder}; the picture needs one of each")


def _most_alike(
    by_quadrant: Mapping[Quadrant, Sequence[Mapping[str, Any]]],
) -> dict[Quadrant, Mapping[str, Any]]:
    """Prefer one clip for both real videos, and one for both fake videos."""
    chosen = {}
    for real, fake in ((_ORDER[0], _ORDER[1]), (_ORDER[2], _ORDER[3])):
        shared = {row["clip_id"] for row in by_quadrant[real]} & {row["clip_id"] for row in by_quadrant[fake]}
        for quadrant in (real, fake):
            rows = by_quadrant[quadrant]
            chosen[quadrant] = next(
                (row for row in rows if row["clip_id"] == min(shared, default="")), rows[0]
            )
    return chosen


def _draw_cell(cell: SubFigure, quadrant: Quadrant, row: Mapping[str, Any], workspace: Path) -> None:
    """Title, frames, waveform and spectrogram of one row."""
    video_colour = FAKE if quadrant.video_label else REAL
    audio_colour = FAKE if quadrant.audio_label else REAL
    cell.text(0.03, 0.945, quadrant.value, fontsize=14, fontweight="bold", va="center")
    _tag(cell, 0.40, f"video: {row['video_method'] or 'real'}", video_colour)
    _tag(cell, 0.70, f"audio: {row['vocoder'] or 'real'}", audio_colour)
    window = {"start_s": row["start_s"], "duration_s": row["duration_s"]}
    root = Path(read_metadata(workspace / "index" / f"{row['corpus']}.parquet")["root"])
    frames = cell.add_axes((0.03, 0.590, 0.94, 0.298))
    frames.imshow(
        film_strip(inside(root, row["video_path"]), **window), aspect="auto", interpolation="lanczos"
    )
    _frame(frames, video_colour)
    wave, mel = cell.add_axes((0.03, 0.425, 0.94, 0.145)), cell.add_axes((0.03, 0.095, 0.94, 0.315))
    _draw_sound(wave, mel, inside(workspace, row["audio_path"]), audio_colour, **window)


def _draw_sound(wave: Axes, mel: Axes, path: Path, colour: str, *, start_s: float, duration_s: float) -> None:
    """Waveform and log-Mel spectrogram of the window, on one time axis."""
    sound, rate = load_flac(path)
    sound = sound[round(start_s * rate) : round((start_s + duration_s) * rate)]
    config = MelConfig(sample_rate=rate)
    picture = log_mel(torch.from_numpy(sound)[None], config)[0].numpy()
    wave.plot(np.arange(len(sound)) / rate, sound, color=colour, linewidth=0.35)
    peak = max(float(abs(sound).max()), 1e-3)
    wave.set(xlim=(0, duration_s), ylim=(-1.05 * peak, 1.05 * peak))
    mel.imshow(
        picture,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=picture.max() - 10.0,  # 87 dB
        extent=(0, duration_s, 0, config.n_mels),
        interpolation="nearest",
    )
    for axes in (wave, mel):
        _frame(axes, colour)
    mel.set_xticks(range(int(duration_s) + 1))
    mel.tick_params(axis="x", length=2, pad=1, labelsize=8)
    mel.set_xlabel("seconds", fontsize=8, labelpad=0)


def _tag(cell: SubFigure, x: float, text: str, colour: str) -> None:
    """A word on a coloured label."""
    box = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "none"}
    cell.text(x, 0.945, text, fontsize=10.5, color="white", va="center", bbox=box)


def _frame(axes: Axes, colour: str) -> None:
    """A coloured border instead of axes."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=colour, linewidth=2.0)
