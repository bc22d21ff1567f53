"""Commands about the detector."""

from typing import Annotated, Literal

import typer

from avfake.cli.options import (
    AcceleratorOption,
    AccumulateOption,
    FieldsOption,
    JsonOption,
    PrecisionOption,
    RecomputeOption,
    SeedOption,
    VerboseOption,
    WorkersOption,
    WorkspaceOption,
)
from avfake.cli.output import prepare, show


def train(
    run: Annotated[str, typer.Option(help="Name of the run; the same name goes on where it was stopped.")],
    split: Annotated[str, typer.Option(help="Name of the split.")] = "balanced",
    preset: Annotated[str, typer.Option(help="paper, or tiny for a CPU.")] = "paper",
    framework: Annotated[str | None, typer.Option(help="two-plus-one, late-fusion or independent.")] = None,
    attention: Annotated[str | None, typer.Option(help="none, inter, inter+intra or joint.")] = None,
    set_: FieldsOption = None,
    pretrained: Annotated[
        str | None,
        typer.Option(
            metavar="kinetics|FILE",
            help="The video stream begins with Kinetics-400 weights: the published ones, or of a file.",
        ),
    ] = None,
    streams_from: Annotated[
        str | None, typer.Option(help="Run whose trained video and audio streams this begins with.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="At most so many.")] = 30,
    batch_size: Annotated[int, typer.Option(help="Clips of a step, over all devices.")] = 64,
    accumulate: AccumulateOption = 1,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 2e-4,
    precision: PrecisionOption = "32-true",
    recompute: RecomputeOption = False,
    policy: Annotated[
        Literal["all", "balanced", "swap"], typer.Option(help="Which rows an epoch shows.")
    ] = "all",
    augment: Annotated[
        list[str] | None, typer.Option(metavar="NAME[=PROBABILITY]", help="flip, colour, noise, ...")
    ] = None,
    monitor: Annotated[
        Literal["auc_whole", "auc_video", "auc_audio", "balanced_accuracy_whole", "loss"],
        typer.Option(help="What on val decides on the best epoch."),
    ] = "auc_whole",
    patience: Annotated[int, typer.Option(help="Epochs without a better one before it stops; 0 never.")] = 10,
    workers: WorkersOption = 0,
    accelerator: AcceleratorOption = "auto",
    devices: Annotated[int, typer.Option(help="So many share each batch.")] = 1,
    strategy: Annotated[str, typer.Option(help="How they work together, in Lightning's words.")] = "auto",
    save_every: Annotated[int, typer.Option(help="Steps between two checkpoints of an epoch.")] = 100,
    workspace: WorkspaceOption = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Train a detector on a split; the same command goes on wherever it was stopped."""
    prepare(verbose)
    from avfake.curate.workspace import open_workspace, safe_name
    from avfake.training.config import TrainConfig, augmentation, detector_config, weights_file
    from avfake.training.fit import train as fit
    from avfake.training.machine import is_first_process

    config = TrainConfig(
        split=safe_name(split, "split"),
        detector=detector_config(
            preset,
            set_ or (),
            framework=framework,
            attention=attention,
            pretrained=pretrained and "kinetics400",
        ),
        epochs=epochs,
        batch_size=batch_size,
        accumulate=accumulate,
        learning_rate=learning_rate,
        precision=precision,
        recompute=recompute,
        policy=policy,
        augmentation=augmentation(augment or ()),
        monitor=monitor,
        patience=patience,
        streams_from=streams_from and safe_name(streams_from, "run"),
        seed=seed,
        devices=devices,
        accelerator=accelerator,
        strategy=strategy,
        workers=workers,
        save_every=save_every,
    )
    report = fit(
        open_workspace(workspace).root, config, run=safe_name(run, "run"), kinetics=weights_file(pretrained)
    )
    if is_first_process():
        show(report, as_json=json)
