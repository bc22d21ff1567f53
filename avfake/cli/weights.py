"""Commands about the vocoders themselves: ``avfake vocoders list``, ``show``, ``download``, ``verify``."""

from typing import Annotated

import typer

from avfake.cli.options import JsonOption, VerboseOption
from avfake.cli.output import prepare, show

vocoders = typer.Typer(help="Which vocoders there are, and their weights.", no_args_is_help=True)
NamesArgument = Annotated[list[str], typer.Argument(metavar="NAMES...", help="Vocoders, or families.")]


@vocoders.command("list")
def list_(json: JsonOption = False, verbose: VerboseOption = False) -> None:
    """List every vocoder, what it was trained on, and whether its weights are at hand."""
    from avfake.curate.vocoders import list_all

    prepare(verbose)
    show(list_all(), as_json=json)


@vocoders.command("show")
def show_(
    name: Annotated[str, typer.Argument(help="A vocoder, or a family.")],
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show the card of a vocoder: paper, licence, training data, address, front-end, network."""
    from avfake.curate.vocoders import show as run

    prepare(verbose)
    show(run(name), as_json=json)


@vocoders.command()
def download(names: NamesArgument, json: JsonOption = False, verbose: VerboseOption = False) -> None:
    """Download weights into the cache; an interrupted download goes on where it stopped."""
    from avfake.curate.vocoders import download as run

    prepare(verbose)
    show(run(names), as_json=json)


@vocoders.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAMES]...", help="Default all at hand.")
    ] = None,
    json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Check that weights are those published or first downloaded, and that their networks take them."""
    from avfake.curate.vocoders import verify as run

    prepare(verbose)
    show(run(names or ()), as_json=json)
