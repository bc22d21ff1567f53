"""Commands that look at the pictures of clips."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from avfake.cli.options import (
    CorporaArgument,
    ExecutorOption,
    JobsOption,
    JsonOption,
    RetryOption,
    VerboseOption,
    WorkspaceOption,
)
from avfake.cli.output import prepare, show


def faces(
    jobs: JobsOption,
    corpora: CorporaArgument = None,
    detector: Annotated[
        Literal["retinaface", "mtcnn"], typer.Option(help="Finds the faces; mtcnn as in the paper.")
    ] = "retinaface",
    share_tracks: Annotated[
        bool, typer.Option(help="Fakes take the track of the clip they were made from.")
    ] = False,
    preview: Annotated[bool, typer.Option(help="Draw a contact sheet of every clip.")] = False,
    workspace: WorkspaceOption = None,
    executor: ExecutorOption = "local",
    retry: RetryOption = "transient",
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Crop the speaking face of each clip: tracked, aligned, 112x112 at 10 fps, without loss."""
    from avfake.curate.faces import faces as run
    from avfake.curate.workspace import open_workspace

    prepare(verbose)
    report = run(
        open_workspace(workspace),
        corpora=corpora or (),
        detector=detector,
        share_tracks=share_tracks,
        preview=preview,
        jobs=jobs,
        executor=executor,
        retry=retry,
    )
    show(report, as_json=json)


def screen(
    jobs: JobsOption,
    corpora: CorporaArgument = None,
    syncnet: Annotated[
        Path | None, typer.Option(help="File of SyncNet's published weights, which then judge instead.")
    ] = None,
    workspace: WorkspaceOption = None,
    executor: ExecutorOption = "local",
    retry: RetryOption = "transient",
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Score how well mouth and sound of each clip belong together; drops nothing."""
    from avfake.curate.screen import screen as run
    from avfake.curate.workspace import open_workspace

    prepare(verbose)
    report = run(
        open_workspace(workspace),
        corpora=corpora or (),
        syncnet=syncnet,
        jobs=jobs,
        executor=executor,
        retry=retry,
    )
    show(report, as_json=json)
