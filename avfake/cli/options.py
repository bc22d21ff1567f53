"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def _n_cores() -> int:
    from avfake.curate.executors import n_cores

    return n_cores()


WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="Data folder; default $AVFAKE_WORKSPACE, else ./avfake-data."),
]
JobsOption = Annotated[
    int,
    typer.Option(min=1, default_factory=_n_cores, show_default="one per core", help="Worker processes."),
]
ExecutorOption = Annotated[Literal["local", "ray"], typer.Option(help="Where the work runs.")]
RetryOption = Annotated[
    Literal["transient", "failed", "all"], typer.Option(help="Which failed clips are tried again.")
]
FieldsOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Another field of the detector.")
]
AccumulateOption = Annotated[int, typer.Option(help="Cut each batch into so many parts.")]
PrecisionOption = Annotated[
    Literal["32-true", "bf16-mixed"], typer.Option(help="Numbers that a step is computed with.")
]
RecomputeOption = Annotated[bool, typer.Option(help="A fraction of the memory for more time.")]
AcceleratorOption = Annotated[
    Literal["auto", "cpu", "gpu"], typer.Option(help="What it runs on; auto takes a GPU if there is one.")
]
AggregationOption = Annotated[Literal["mean", "max"], typer.Option(help="How windows are joined.")]
WindowsOption = Annotated[int, typer.Option("--batch-size", min=1, help="Windows at a time.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Processes that read clips, per device.")]
SeedOption = Annotated[int, typer.Option(help="Everything random is drawn from it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", help="Log more, with tracebacks, on stderr.")]
CorporaArgument = Annotated[list[str] | None, typer.Argument(help="Indexed corpora; default all.")]
