"""The command line: each command parses, calls the library function of its name, and prints its report."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from avfake import __version__
from avfake.errors import AvfakeError

app = typer.Typer(
    help="Audio-visual deepfake data sets without shortcuts, and detectors that learn from them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _n_cores() -> int:
    from avfake.curate.executors import n_cores

    return n_cores()


WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="Data folder; default $AVFAKE_WORKSPACE, else ./avfake-data."),
]
JobsOption = Annotated[
    int, typer.Option(min=1, default_factory=_n_cores, show_default="one per core", help="Worker processes.")
]
ExecutorOption = Annotated[Literal["local", "ray"], typer.Option(help="Where the work runs.")]
RetryOption = Annotated[
    Literal["transient", "failed", "all"], typer.Option(help="Which failed clips are tried again.")
]
SeedOption = Annotated[int, typer.Option(help="Everything random is drawn from it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", help="Log more, with tracebacks, on stderr.")]
CorporaArgument = Annotated[list[str] | None, typer.Argument(help="Indexed corpora; default all.")]


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Hold the options that belong to no command."""
    if version:
        print(f"avfake {__version__}")
        raise typer.Exit


@app.command()
def demo(
    jobs: JobsOption,
    folder: Annotated[Path, typer.Argument(help="Where clips and data set go.")] = Path("avfake-demo"),
    seed: SeedOption = 0,
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Run the whole pipeline on synthetic talking clips: nothing to download, a few minutes."""
    from avfake.demo.pipeline import run_demo

    _prepare(verbose)
    _show(run_demo(folder, seed=seed, jobs=jobs), as_json=json)


@app.command()
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

    _prepare(verbose)
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
    _show(report, as_json=json)


@app.command()
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

    _prepare(verbose)
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
    _show(report, as_json=json)


@app.command()
def vocode(
    jobs: JobsOption,
    vocoder: Annotated[list[str], typer.Option(help="Name of a vocoder, or all; may be repeated.")],
    corpora: CorporaArgument = None,
    blur: Annotated[float, typer.Option(min=0, max=1, help="Share of clips that get a random blur.")] = 0.5,
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

    _prepare(verbose)
    report = run(
        open_workspace(workspace),
        vocoders=vocoder,
        corpora=corpora or (),
        blur=blur,
        seed=seed,
        jobs=jobs,
        executor=executor,
        retry=retry,
    )
    _show(report, as_json=json)


@app.command()
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

    _prepare(verbose)
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
        ratios=ratios,
        band_limit=band_limit,
        seed=seed,
        jobs=jobs,
        executor=executor,
    )
    _show(report, as_json=json)
    audited = audit(data, name, allow_shortcuts=allow_shortcuts, seed=seed, jobs=jobs, executor=executor)
    _show(audited, as_json=json)
    refuse_shortcuts(audited)


@app.command()
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

    _prepare(verbose)
    report = run(
        open_workspace(workspace),
        split,
        allow_shortcuts=allow_shortcuts,
        seed=seed,
        jobs=jobs,
        executor=executor,
    )
    _show(report, as_json=json)
    refuse_shortcuts(report)


def main() -> None:
    """Run the command line; a problem the user can mend is one line on stderr and exit code 1."""
    try:
        app()
    except AvfakeError as error:
        print(f"avfake: {error}", file=sys.stderr)
        sys.exit(1)


def _prepare(verbose: bool) -> None:
    import logging

    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(levelname)s: %(message)s")


def _show(report: Any, *, as_json: bool) -> None:
    """Print a report; exit with 3 when clips failed."""
    if as_json:
        import dataclasses
        import json

        print(json.dumps(dataclasses.asdict(report), default=str))
    else:
        print(report)
    if report.n_failed:
        raise typer.Exit(3)
