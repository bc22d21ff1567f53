"""Commands that make splits and look for shortcuts in them."""

from typing import Annotated, Literal

import typer

from avfake.cli.options import (
    ExecutorOption,
    JobsOption,
    JsonOption,
    SeedOption,
    VerboseOption,
    WorkspaceOption,
)
from avfake.cli.output import prepare, show


def build_split(
    jobs: JobsOption,
    name: Annotated[str, typer.Option(help="Name of the split.")] = "balanced",
    corpus: Annotated[list[str] | None, typer.Option(help="Corpora to use; default all.")] = None,
    vocoder: Annotated[list[str] | None, typer.Option(help="Vocoders to use; default all that ran.")] = None,
    balanced: Annotated[bool, typer.Option(help="Equal quadrants, methods and vocoders.")] = True,
    train_policy: Annotated[
        Literal["balanced", "swap"], typer.Option(help="swap: half of the training clips get fake sound.")
    ] = "balanced",
    leave_out_method: Annotated[list[str] | None, typer.Option(help="Only the test split shows it.")] = None,
    leave_out_vocoder: Annotated[list[str] | None, typer.Option(help="Only the test split has it.")] = None,
    shuffle_audio: Annotated[bool, typer.Option(help="Sound of another person for every clip.")] = False,
    per_quadrant: Annotated[int | None, typer.Option(min=1, help="Rows per quadrant; default most.")] = None,
    window: Annotated[float, typer.Option(help="Length of a sample in seconds.")] = 3.0,
    min_duration: Annotated[float, typer.Option(help="Leave out clips shorter than this, in seconds.")] = 0.0,
    min_sync: Annotated[
        float | None, typer.Option(help="Leave out clips whose sync_score is lower; run screen first.")
    ] = None,
    ratios: Annotated[
        tuple[float, float, float], typer.Option(help="Shares of train, val, test without official splits.")
    ] = (0.72, 0.14, 0.14),
    band_limit: Annotated[
        Literal["none", "common"], typer.Option(help="common: one low-pass for all sound.")
    ] = "none",
    allow_shortcuts: Annotated[bool, typer.Option(help="Keep a split that fails its audit.")] = False,
    workspace: WorkspaceOption = None,
    executor: ExecutorOption = "local",
    seed: SeedOption = 0,
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Write a four-quadrant manifest, prove its balance, and audit it for shortcuts."""
    from avfake.curate.audit import audit, refuse_shortcuts
    from avfake.curate.build_split import build_split as run
    from avfake.curate.workspace import open_workspace

    prepare(verbose)
    data = open_workspace(workspace)
    report = run(
        data,
        name=name,
        corpora=corpus or (),
        vocoders=vocoder or (),
        balanced=balanced,
        train_policy=train_policy,
        leave_out_method=leave_out_method or (),
        leave_out_vocoder=leave_out_vocoder or (),
        shuffle_audio=shuffle_audio,
        per_quadrant=per_quadrant,
        window_s=window,
        min_duration_s=min_duration,
        min_sync=min_sync,
        ratios=ratios,
        band_limit=band_limit,
        seed=seed,
        jobs=jobs,
        executor=executor,
    )
    show(report, as_json=json)
    audited = audit(data, name, allow_shortcuts=allow_shortcuts, seed=seed, jobs=jobs, executor=executor)
    show(audited, as_json=json)
    refuse_shortcuts(audited)


def audit(
    jobs: JobsOption,
    split: Annotated[str, typer.Argument(help="Name of the split.")] = "balanced",
    allow_shortcuts: Annotated[bool, typer.Option(help="Report, and exit with 0 all the same.")] = False,
    workspace: WorkspaceOption = None,
    executor: ExecutorOption = "local",
    seed: SeedOption = 0,
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Try to guess each label of a split from what a detector should not live on."""
    from avfake.curate.audit import audit as run
    from avfake.curate.audit import refuse_shortcuts
    from avfake.curate.workspace import open_workspace

    prepare(verbose)
    report = run(
        open_workspace(workspace),
        split,
        allow_shortcuts=allow_shortcuts,
        seed=seed,
        jobs=jobs,
        executor=executor,
    )
    show(report, as_json=json)
    refuse_shortcuts(report)
