"""A judged video at a glance: what is seen and heard, and how fake it seems from moment to moment."""

import textwrap
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator
from numpy.typing import NDArray

from avfake.files import whole_file
from avfake.reporting.figures import FAKE, REAL

_WIDTH_IN, _HEIGHT_IN, _DPI = 10.0, 4.9, 130
_LEFT, _RIGHT = 0.055, 0.885  # of the figure's width; curves are named to the right of them
_N_CROPS, _CROP_GAP = 12, 4  # pixels between two
_N_BARS = 900  # of the waveform
_LONGEST_NAME, _NOTES_WIDTH = 58, 170  # characters
_LABEL_STEP = 0.085  # least distance of two curves' names, in probabilities
_GREY, _PALE = "#767676", "#F3F3F3"
_CURVES = {  # black behind Okabe and Ito's purple and green, and wider, so that it shows where they agree
    "whole": ("#1A1A1A", 3.8),
    "video": ("#CC79A7", 2.0),
    "audio": ("#009E73", 2.0),
}
_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
_MOST_TICKS = 12
_MOST_MARKS = 60  # windows; more would hide the curve
_SUSPICION = LinearSegmentedColormap.from_list("suspicion", [REAL, "#C9C9C9", FAKE]).with_extremes(bad=_PALE)


@dataclass(frozen=True, eq=False)
class Timeline:
    """What there is to draw.

    Attributes:
        name: Of the video.
        verdict: On the whole of it.
        fake: Whether the verdict says so.
        summary: One line of numbers.
        starts_s: Of the windows, [windows].
        ends_s: Of the windows, [windows].
        p: Probabilities of being fake, [windows] each, of ``video``, ``audio`` and the ``whole``, as far as
            they were judged; NaN where a window was not.
        crops: Of the face, uint8 [frames, height, width, 3]; None where there is none.
        waveform: [time], from the moment of the first crop; None where there is none.
        duration_s: Of what was judged.
        threshold: From which on something is fake.
        notes: What was not judged, and why.
    """

    name: str
    verdict: str
    fake: bool
    summary: str
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    p: Mapping[str, NDArray[np.float64]]
    crops: NDArray[np.uint8] | None
    waveform: NDArray[np.float32] | None
    duration_s: float
    threshold: float
    notes: Sequence[str]


def draw_timeline(path: Path, timeline: Timeline) -> None:
    """Draw a film strip, the waveform, and the probabilities over time, one below the other.

    A bar under the film strip and the colour of the waveform tell how suspicious each moment is: the mean
    over the windows that it lies in.

    Args:
        path: Of the PNG to write.
        timeline: What there is to draw.

    Raises:
        StorageError: The disk is full or read-only.
    """
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), facecolor="white")
    canvas = FigureCanvasAgg(figure)
    width = _RIGHT - _LEFT
    _draw_heading(figure, timeline)
    _draw_crops(figure.add_axes((_LEFT, 0.712, width, 0.142)), timeline)
    _draw_suspicion(figure.add_axes((_LEFT, 0.690, width, 0.014)), timeline)
    _draw_key(figure)
    _draw_sound(figure.add_axes((_LEFT, 0.535, width, 0.135)), timeline)
    _draw_curves(figure.add_axes((_LEFT, 0.135, width, 0.375)), timeline)
    with warnings.catch_warnings(), whole_file(path) as temporary, temporary.open("wb") as file:
        warnings.filterwarnings("ignore", message="Glyph")  # a name may hold letters that the font lacks
        canvas.figure.savefig(
            file, format="png", dpi=_DPI, metadata={"Software": None}, pil_kwargs={"optimize": True}
        )


def _draw_heading(figure: Figure, timeline: Timeline) -> None:
    """The name, the numbers, and the verdict on a coloured label."""
    name = timeline.name
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME // 2]}…{name[-_LONGEST_NAME // 2 :]}"
    box = {
        "boxstyle": "round,pad=0.4",
        "facecolor": FAKE if timeline.fake else REAL,
        "edgecolor": "none",
    }
    figure.text(_LEFT, 0.955, name, fontsize=13, fontweight="bold", va="center", parse_math=False)
    figure.text(_LEFT, 0.893, timeline.summary, fontsize=9, color=_GREY, va="center", parse_math=False)
    figure.text(0.985, 0.945, timeline.verdict, fontsize=11, color="white", ha="right", va="center", bbox=box)
    notes = textwrap.fill("   ".join(timeline.notes), _NOTES_WIDTH)
    figure.text(_LEFT, 0.012, notes, fontsize=7.5, color=_GREY, va="bottom", parse_math=False)


def _draw_crops(axes: Axes, timeline: Timeline) -> None:
    """Crops side by side, each at its time."""
    if timeline.crops is None:
        _draw_nothing(axes, timeline, "no face to judge")
        return
    n_crops, size, _, _ = timeline.crops.shape
    places = (np.arange(_N_CROPS) + 0.5) / _N_CROPS * n_crops
    strip = np.full((size, _N_CROPS * (size + _CROP_GAP), 3), 255, np.uint8)
    for number, place in enumerate(places.astype(int).tolist()):
        left = number * (size + _CROP_GAP) + _CROP_GAP // 2
        strip[:, left : left + size] = timeline.crops[place]
    extent = (0, timeline.duration_s, 0, 1)
    axes.imshow(strip, aspect="auto", interpolation="lanczos", extent=extent)
    axes.set_axis_off()


def _draw_suspicion(axes: Axes, timeline: Timeline) -> None:
    """A bar whose colour follows the probability of the pictures."""
    axes.set_axis_off()
    if "video" not in timeline.p:
        return
    times_s = (np.arange(_N_BARS) + 0.5) / _N_BARS * timeline.duration_s
    axes.imshow(
        _at(times_s, timeline, timeline.p["video"])[None],
        aspect="auto",
        cmap=_SUSPICION,
        vmin=0,
        vmax=1,
        extent=(0, timeline.duration_s, 0, 1),
    )


def _draw_key(figure: Figure) -> None:
    """What the colours mean, beside the bar."""
    axes = figure.add_axes((_RIGHT + 0.035, 0.690, 0.045, 0.014))
    axes.imshow(np.linspace(0, 1, 64)[None], aspect="auto", cmap=_SUSPICION)
    axes.set_axis_off()
    for x, text, side in ((_RIGHT + 0.031, "real", "right"), (_RIGHT + 0.084, "fake", "left")):
        figure.text(x, 0.697, text, fontsize=7.5, color=_GREY, ha=side, va="center")


def _draw_sound(axes: Axes, timeline: Timeline) -> None:
    """The waveform, its colour following the probability of the sound."""
    if timeline.waveform is None:
        _draw_nothing(axes, timeline, "no sound to judge")
        return
    times_s = (np.arange(_N_BARS) + 0.5) / _N_BARS * timeline.duration_s
    starts = np.unique(np.arange(_N_BARS) * len(timeline.waveform) // _N_BARS)
    low, high = (extreme.reduceat(timeline.waveform, starts) for extreme in (np.minimum, np.maximum))
    peak = max(float(high.max()), -float(low.min()), 1e-3)
    bars = axes.vlines(times_s[: len(starts)], low - 0.005 * peak, high + 0.005 * peak, linewidth=0.9)
    bars.set_color(_GREY)
    if "audio" in timeline.p:
        bars.set_color(list(_SUSPICION(_at(times_s, timeline, timeline.p["audio"]))))
    axes.axhline(0, color="#C9C9C9", linewidth=0.5, zorder=0)
    axes.set(xlim=(0, timeline.duration_s), ylim=(-1.05 * peak, 1.05 * peak))
    axes.set_axis_off()


def _draw_curves(axes: Axes, timeline: Timeline) -> None:
    """The probabilities at the middle of each window, level before the first and behind the last."""
    end_s, threshold = timeline.duration_s, timeline.threshold
    axes.axhspan(threshold, 1.04, color=FAKE, alpha=0.07, linewidth=0)
    axes.axhspan(-0.04, threshold, color=REAL, alpha=0.06, linewidth=0)
    axes.axhline(threshold, color=_GREY, linewidth=0.8, linestyle=(0, (5, 4)))
    middles_s = (timeline.starts_s + timeline.ends_s) / 2
    marks: dict[str, Any] = {"marker": "o", "markersize": 5.5} if len(middles_s) <= _MOST_MARKS else {}
    for name, (colour, width) in _CURVES.items():
        if (p := timeline.p.get(name)) is not None:
            line: dict[str, Any] = {"color": colour, "linewidth": width, "solid_capstyle": "butt"}
            axes.plot((0, middles_s[0]), (p[0], p[0]), alpha=0.4, **line)
            axes.plot((middles_s[-1], end_s), (p[-1], p[-1]), alpha=0.4, **line)
            axes.plot(middles_s, p, markeredgecolor="white", **line, **marks)
    _name_curves(axes, {name: float(p[np.isfinite(p)][-1]) for name, p in timeline.p.items()}, end_s)
    axes.set(xlim=(0, end_s), ylim=(-0.04, 1.04), yticks=(0, 0.5, 1))
    axes.set_ylabel("probability of fake", fontsize=9)
    _draw_clock(axes, end_s)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _draw_clock(axes: Axes, end_s: float) -> None:
    """Times at round distances: seconds, or minutes and seconds."""
    step_s = next((step_s for step_s in _TICKS_S if end_s / step_s <= _MOST_TICKS), _TICKS_S[-1])
    in_minutes = end_s >= 120
    axes.xaxis.set_major_locator(MultipleLocator(step_s))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{int(x) // 60}:{int(x) % 60:02d}" if in_minutes else f"{x:g}")
    )
    axes.set_xlabel("time, min:s" if in_minutes else "time, s", fontsize=9, labelpad=2)
    axes.tick_params(labelsize=8, length=2)


def _name_curves(axes: Axes, ends: dict[str, float], end_s: float) -> None:
    """Write each curve's name behind its end, far enough from the others."""
    names = sorted(ends, key=lambda name: ends[name])
    heights = [ends[name] for name in names]
    for number in range(1, len(heights)):
        heights[number] = max(heights[number], heights[number - 1] + _LABEL_STEP)
    heights = [height - max(0.0, heights[-1] - 1.0) for height in heights]
    for name, height in zip(names, heights, strict=True):
        colour, _ = _CURVES[name]
        axes.annotate(
            name,
            (end_s, height),
            (7, 0),
            textcoords="offset points",
            color=colour,
            fontsize=10,
            fontweight="bold",
            va="center",
            annotation_clip=False,
        )


def _draw_nothing(axes: Axes, timeline: Timeline, text: str) -> None:
    axes.set(facecolor=_PALE, xticks=[], yticks=[], xlim=(0, timeline.duration_s))
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, color=_GREY, fontsize=9, ha="center", va="center")


def _at(times_s: NDArray[np.float64], timeline: Timeline, p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean probability of the judged windows that each moment lies in, [times]; NaN where there is none."""
    within = (times_s[:, None] >= timeline.starts_s) & (times_s[:, None] < timeline.ends_s)
    within[:, -1] |= ~within.any(axis=1)
    judged = np.isfinite(p)
    n_windows = (within & judged).sum(axis=1)
    mean = np.full(len(times_s), np.nan)
    np.divide(within @ np.where(judged, p, 0), n_windows, out=mean, where=n_windows > 0)
    return mean
