"""Whether probabilities mean what they say: of the samples called fake with 70 %, are 70 % fake?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from avfake.files import whole_file
from avfake.reporting.figures import FAKE, REAL

_WIDTH_IN, _HEIGHT_IN, _DPI = 10.0, 4.6, 100
_LARGEST_DOT = 220.0  # points squared
_GREY = "#8A8A8A"


def draw_reliability(path: Path, heads: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Draw a reliability diagram per head, and below it how many samples each bin holds.

    Args:
        path: Of the PNG to write.
        heads: Bins of each head by its name, as an evaluation's metrics hold them: ``low``, ``high``,
            ``n_samples``, ``mean_p`` and ``share_fake``, the last two None where the bin is empty.

    Raises:
        StorageError: The disk is full or read-only.
    """
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), facecolor="white")
    canvas = FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2, len(heads), height_ratios=(4, 1), left=0.06, right=0.985, bottom=0.11, top=0.92, hspace=0.08
    )
    for column, (head, bins) in enumerate(heads.items()):
        upper = figure.add_subplot(grid[0, column])
        _draw_bins(upper, bins)
        lower = figure.add_subplot(grid[1, column], sharex=upper)
        _draw_counts(lower, bins)
        upper.set_title(f"{head}   calibration error {100 * _error(bins):.1f} %", fontsize=10.5, loc="left")
        if column == 0:
            upper.set_ylabel("share of fakes")
            lower.set_ylabel("samples")
    with whole_file(path) as temporary, temporary.open("wb") as file:
        canvas.figure.savefig(
            file, format="png", dpi=_DPI, metadata={"Software": None}, pil_kwargs={"optimize": True}
        )


def _draw_bins(axes: Axes, bins: Sequence[Mapping[str, Any]]) -> None:
    """A dot per bin, larger the more samples it holds, tied to the diagonal where it should lie."""
    held = [found for found in bins if found["n_samples"]]
    p, share, n_samples = (
        np.array([found[name] for found in held], float) for name in ("mean_p", "share_fake", "n_samples")
    )
    axes.plot((0, 1), (0, 1), color=_GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    axes.vlines(p, p, share, color=FAKE, linewidth=2, alpha=0.6, zorder=2)
    area = _LARGEST_DOT * n_samples / n_samples.max()
    dots: dict[str, Any] = {"color": REAL, "edgecolor": "white", "linewidth": 0.8, "clip_on": False}
    axes.scatter(p, share, s=np.maximum(area, 12), zorder=3, **dots)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.04, 1.04))
    axes.tick_params(labelbottom=False, labelsize=8)
    _bare(axes)


def _draw_counts(axes: Axes, bins: Sequence[Mapping[str, Any]]) -> None:
    left, right = (np.array([found[name] for found in bins], float) for name in ("low", "high"))
    counts = np.array([found["n_samples"] for found in bins])
    axes.bar(left, counts, width=right - left, align="edge", color=REAL, edgecolor="white", linewidth=0.8)
    axes.set_ylim(0, 1.1 * counts.max())
    axes.set_xlabel("probability of being fake")
    axes.tick_params(labelsize=8)
    _bare(axes)


def _error(bins: Sequence[Mapping[str, Any]]) -> float:
    """Expected calibration error, of the bins that are drawn."""
    held = [found for found in bins if found["n_samples"]]
    gaps = sum(found["n_samples"] * abs(found["mean_p"] - found["share_fake"]) for found in held)
    return float(gaps / sum(found["n_samples"] for found in held))


def _bare(axes: Axes) -> None:
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
