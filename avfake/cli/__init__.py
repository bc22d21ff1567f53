"""The command line: each command parses, calls the library function of its name, and prints its report."""

import sys
from typing import Annotated

import typer

from avfake import __version__
from avfake.cli.detector import train
from avfake.cli.evaluation import evaluate, predict
from avfake.cli.fakes import vocode
from avfake.cli.pictures import faces, screen
from avfake.cli.reproduction import reproduce
from avfake.cli.sources import fetch_audio, index
from avfake.cli.splits import audit, build_split
from avfake.cli.trial import demo
from avfake.cli.weights import vocoders
from avfake.errors import AvfakeError

app = typer.Typer(
    help="Audio-visual deepfake data sets without shortcuts, and detectors that learn from them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
COMMANDS = (
    demo,
    index,
    fetch_audio,
    faces,
    screen,
    vocode,
    build_split,
    audit,
    train,
    evaluate,
    predict,
    reproduce,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(vocoders, name="vocoders")


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Hold the options that belong to no command."""
    if version:
        print(f"avfake {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; a problem the user can mend is one line on stderr and exit code 1."""
    try:
        app()
    except AvfakeError as error:
        print(f"avfake: {error}", file=sys.stderr)
        sys.exit(1)
