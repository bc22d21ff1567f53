"""Commands that take in what is on disk and on the network."""

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


def index(
    jobs: JobsOption,
    kind: Annotated[Literal["ffpp", "dfdc", "folder"], typer.Argument(help="What lies there.")],
    corpus_root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder of the corpus on disk.")],
    name: Annotated[str | None, typer.Option(help="Name of the corpus here; default its kind.")] = None,
    video_label: Annotated[str, typer.Option(help="folder: real or fake.")] = "real",
    audio_label: Annotated[str, typer.Option(help="folder: real, fake or unknown.")] = "real",
    method: Annotated[str | None, typer.Option(help="folder: how the videos were manipulated.")] = None,
    labels: Annotated[Path | None, typer.Option(help="folder: CSV with a label per file.")] = None,
    identity_regex: Annotated[str | None, typer.Option(help="folder: finds the identity in a path.")] = None,
    probe: Annotated[bool, typer.Option(help="Open each file for its size, rate and codecs.")] = True,
    workspace: WorkspaceOption = None,
    executor: ExecutorOption = "local",
    retry: RetryOption = "transient",
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Scan a corpus on disk: one row per video, with labels, identities and official splits."""
    from avfake.curate.index import index as run
    from avfake.curate.workspace import open_workspace

    prepare(verbose)
    report = run(
        open_workspace(workspace),
        kind,
        corpus_root,
        name=name,
        video_label=video_label,
        audio_label=audio_label,
        method=method,
        labels=labels,
        identity_regex=identity_regex,
        probe=probe,
        jobs=jobs,
        executor=executor,
        retry=retry,
    )
    show(report, as_json=json)


def fetch_audio(
    jobs: JobsOption,
    corpora: CorporaArgument = None,
    align: Annotated[
        Literal["auto", "frames", "visual", "none"],
        typer.Option(help="ffpp: find clips in uploads by frame lists, by their pictures, or as fits."),
    ] = "auto",
    frame_lists: Annotated[
        Path | None, typer.Option(help="ffpp: folder downloaded_videos_info; default beside the videos.")
    ] = None,
    audio_from_dir: Annotated[
        Path | None, typer.Option(help="ffpp: folder of uploads you have; nothing is fetched.")
    ] = None,
    reenactment_audio: Annotated[
        Literal["target", "source"], typer.Option(help="ffpp: whose sound reenactments get.")
    ] = "target",
    dry_run: Annotated[
        bool, typer.Option(help="ffpp: only say what would be fetched, and how long.")
    ] = False,
    cookies: Annotated[Path | None, typer.Option(help="ffpp: file of cookies, Netscape format.")] = None,
    cookies_from_browser: Annotated[str | None, typer.Option(help="ffpp: firefox, chrome, ...")] = None,
    proxy: Annotated[str | None, typer.Option(help="ffpp: address all requests go through.")] = None,
    rate_limit: Annotated[str | None, typer.Option(help="ffpp: bytes per second, like 500K.")] = None,
    sleep: Annotated[float, typer.Option(min=0, help="ffpp: seconds between two uploads.")] = 5.0,
    max_per_hour: Annotated[int | None, typer.Option(min=1, help="ffpp: uploads in any hour.")] = None,
    url_template: Annotated[
        str | None, typer.Option(help="ffpp: address of a mirror, {id} for the YouTube id.")
    ] = None,
    workspace: WorkspaceOption = None,
    executor: ExecutorOption = "local",
    retry: RetryOption = "transient",
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Give each clip its sound: mono, 22 050 Hz, 16-bit FLAC; from its file, or FF++'s from YouTube."""
    from avfake.curate.fetch_audio import fetch_audio as run
    from avfake.curate.recovery.config import RecoveryConfig
    from avfake.curate.recovery.download import YOUTUBE, CrawlConfig, parse_rate
    from avfake.curate.workspace import open_workspace

    prepare(verbose)
    crawl = CrawlConfig(
        url_template=url_template or YOUTUBE,
        cookies=cookies,
        cookies_from_browser=cookies_from_browser,
        proxy=proxy,
        rate_limit=parse_rate(rate_limit) if rate_limit else None,
        sleep_s=sleep,
        max_per_hour=max_per_hour,
    )
    report = run(
        open_workspace(workspace),
        corpora=corpora or (),
        recovery=RecoveryConfig(align, frame_lists, audio_from_dir, reenactment_audio, crawl),
        dry_run=dry_run,
        jobs=jobs,
        executor=executor,
        retry=retry,
    )
    show(report, as_json=json)
