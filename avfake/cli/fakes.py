"""Commands that make fake sound and look after the vocoders."""

from pathlib import Path
from typing import Annotated

import typer

from avfake.cli.options import (
    AcceleratorOption,
    CorporaArgument,
    ExecutorOption,
    JobsOption,
    JsonOption,
    RetryOption,
    SeedOption,
    VerboseOption,
    WorkspaceOption,
)
from avfake.cli.output import prepare, show


def vocode(
    jobs: JobsOption,
    vocoder: Annotated[list[str], typer.Option(help="Name of a vocoder, or all; may be repeated.")],
    corpora: CorporaArgument = None,
    weights: Annotated[
        Path | None, typer.Option(help="File of weights to use instead of the published ones.")
    ] = None,
    blur: Annotated[float, typer.Option(min=0, max=1, help="Share of clips that get a random blur.")] = 0.5,
    accelerator: AcceleratorOption = "auto",
    workspace: WorkspaceOption = None,
    executor: ExecutorOption = "local",
    retry: RetryOption = "transient",
    seed: SeedOption = 0,
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Make fake sound: resynthesize the real sound of each clip."""
    from avfake.curate.vocode import vocode as run
    from avfake.curate.workspace import open_workspace

    prepare(verbose)
    report = run(
        open_workspace(workspace),
        vocoders=vocoder,
        corpora=corpora or (),
        weights=weights,
        blur=blur,
        seed=seed,
        accelerator=accelerator,
        jobs=jobs,
        executor=executor,
        retry=retry,
    )
    show(report, as_json=json)
