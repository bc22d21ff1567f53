"""The command that shows everything at once."""

from pathlib import Path
from typing import Annotated

import typer

from avfake.cli.options import JobsOption, JsonOption, SeedOption, VerboseOption
from avfake.cli.output import prepare, show


def demo(
    jobs: JobsOption,
    folder: Annotated[Path, typer.Argument(help="Where clips and data set go.")] = Path("avfake-demo"),
    seed: SeedOption = 0,
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Run the whole pipeline on synthetic talking clips: nothing to download, a few minutes."""
    from avfake.demo.pipeline import run_demo

    prepare(verbose)
    show(run_demo(folder, seed=seed, jobs=jobs), as_json=json)
