"""Everybody in the demo on one picture: real, and as each manipulation shows them."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from avfake.demo.clips import Clip
from avfake.demo.manipulations import METHODS
from avfake.files import whole_file
from avfake.reporting.figures import FAKE, REAL
from avfake.reporting.frames import film_strip

_MOST_PEOPLE = 12
_TILE_IN = 0.9
_DPI = 100
_MIDDLE_S = (1.0, 0.4)  # start and duration of the time a frame is taken from


def contact_sheet(folder: Path, clips: Sequence[Clip], path: Path) -> None:
    """Write a PNG with a column per identity, twelve at most, and a row for real and for each method.

    Args:
        folder: Root of the clips.
        clips: From :func:`avfake.demo.clips.plan_clips`; the first of each kind and person is shown.
        path: Of the PNG.
    """
    rows = [None, *METHODS]
    n_people = min(_MOST_PEOPLE, max(clip.target for clip in clips) + 1)
    first = {(clip.method, clip.target): clip for clip in reversed(clips)}
    figure = Figure(figsize=(_TILE_IN * n_people + 0.5, _TILE_IN * len(rows)), facecolor="white")
    grid = figure.add_gridspec(
        len(rows), n_people, left=0.5 / figure.get_figwidth(), right=1, bottom=0, top=1
    )
    grid.update(wspace=0.04, hspace=0.04)
    for row, method in enumerate(rows):
        middle = 1 - (row + 0.5) / len(rows)
        colour = REAL if method is None else FAKE
        figure.text(
            0.25 / figure.get_figwidth(),
            middle,
            method or "real",
            color=colour,
            rotation=90,
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold",
        )
        for person in range(n_people):
            axes = figure.add_subplot(grid[row, person])
            axes.set_axis_off()
            if clip := first.get((method, person)):
                start_s, duration_s = _MIDDLE_S
                axes.imshow(
                    film_strip(folder / clip.path, start_s=start_s, duration_s=duration_s, n_frames=1)
                )
    canvas = FigureCanvasAgg(figure)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        canvas.figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
