"""Commands that put a trained detector to work."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from avfake.cli.options import (
    AcceleratorOption,
    AggregationOption,
    JsonOption,
    SeedOption,
    VerboseOption,
    WindowsOption,
    WorkersOption,
    WorkspaceOption,
)
from avfake.cli.output import prepare, show


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name of the run whose detector is judged.")],
    split: Annotated[str, typer.Option(help="Name of the split.")] = "balanced",
    part: Annotated[Literal["train", "val", "test"], typer.Option(help="Of the split.")] = "test",
    hop: Annotated[
        float | None, typer.Option(help="Join windows so far apart, in seconds; default the first alone.")
    ] = None,
    aggregation: AggregationOption = "mean",
    batch_size: WindowsOption = 16,
    workers: WorkersOption = 0,
    accelerator: AcceleratorOption = "auto",
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Judge a part of a split with a trained detector: metrics with intervals, tables, scores."""
    prepare(verbose)
    from avfake.curate.workspace import open_workspace, safe_name
    from avfake.evaluation.evaluate import evaluate as judge

    report = judge(
        open_workspace(workspace).root,
        safe_name(run, "run"),
        safe_name(split, "split"),
        part=part,
        hop_s=hop,
        aggregation=aggregation,
        batch_size=batch_size,
        workers=workers,
        accelerator=accelerator,
        seed=seed,
    )
    show(report, as_json=json)


def predict(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Media files of any kind.")],
    model: Annotated[Path, typer.Option(help="Folder of a trained detector: runs/NAME/model.")],
    out: Annotated[Path, typer.Option(help="Folder for a JSON file and a picture of each video.")] = Path(
        "avfake-predictions"
    ),
    hop: Annotated[float, typer.Option(help="From window to window, in seconds.")] = 1.0,
    aggregation: AggregationOption = "mean",
    face_detector: Annotated[
        Literal["retinaface", "mtcnn"], typer.Option(help="As for the clips it was trained on.")
    ] = "retinaface",
    batch_size: WindowsOption = 8,
    workers: Annotated[int, typer.Option(min=0, help="Processes that find faces and sound.")] = 0,
    accelerator: AcceleratorOption = "auto",
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Judge any video: real or fake, what of it, and when; numbers and a picture of each."""
    prepare(verbose)
    from avfake.evaluation.predict import PredictionReport
    from avfake.evaluation.predict import predict as judge

    predictions = judge(
        videos,
        model,
        out=out,
        hop_s=hop,
        aggregation=aggregation,
        face_detector=face_detector,
        batch_size=batch_size,
        workers=workers,
        accelerator=accelerator,
    )
    show(PredictionReport(tuple(predictions), str(out)), as_json=json)
