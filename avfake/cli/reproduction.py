"""The command that repeats the paper's experiments."""

from typing import Annotated, Literal

import typer

from avfake.cli.options import (
    AcceleratorOption,
    AccumulateOption,
    FieldsOption,
    JobsOption,
    JsonOption,
    PrecisionOption,
    RecomputeOption,
    VerboseOption,
    WorkersOption,
    WorkspaceOption,
)
from avfake.cli.output import prepare, show


def reproduce(
    jobs: JobsOption,
    experiment: Annotated[
        Literal["table2", "table3", "table4", "fig3", "in-the-wild"], typer.Argument(help="Of the paper.")
    ],
    preset: Annotated[Literal["paper", "tiny"], typer.Option(help="paper, or tiny for a CPU.")] = "paper",
    seeds: Annotated[int, typer.Option(min=1, help="Train each detector so often.")] = 1,
    corpus: Annotated[
        list[str] | None,
        typer.Option(help="Stands for the experiment's first data set, a second one for the next."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be done, and what is missing.")] = False,
    label: Annotated[str | None, typer.Option(help="Begins names of runs; default the preset.")] = None,
    set_: FieldsOption = None,
    epochs: Annotated[int | None, typer.Option(help="At most so many.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Clips of a step.")] = None,
    accumulate: AccumulateOption = 1,
    precision: PrecisionOption = "32-true",
    recompute: RecomputeOption = False,
    accelerator: AcceleratorOption = "auto",
    workers: WorkersOption = 0,
    allow_shortcuts: Annotated[bool, typer.Option(help="Go on with splits that fail their audit.")] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Repeat an experiment of the paper: splits, trainings, and the table beside the paper's numbers."""
    prepare(verbose)
    from avfake.curate.workspace import open_workspace
    from avfake.reproduction.reproduce import reproduce as run
    from avfake.reproduction.settings import Settings

    settings = Settings(
        preset=preset,
        fields=tuple(set_ or ()),
        epochs=epochs,
        batch_size=batch_size,
        accumulate=accumulate,
        precision=precision,
        recompute=recompute,
        accelerator=accelerator,
        workers=workers,
        label=label,
    )
    report = run(
        open_workspace(workspace),
        experiment,
        settings=settings,
        n_seeds=seeds,
        corpora=corpus or (),
        dry_run=dry_run,
        allow_shortcuts=allow_shortcuts,
        jobs=jobs,
    )
    show(report, as_json=json)
