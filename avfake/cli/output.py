"""What every command does around its work: logs on stderr, the report on stdout, the exit code."""

from typing import Any

import typer


def prepare(verbose: bool) -> None:
    """Send logs to stderr: errors alone, or everything."""
    import logging

    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(levelname)s: %(message)s")


def show(report: Any, *, as_json: bool) -> None:
    """Print a report; exit with 3 when clips failed."""
    if as_json:
        import dataclasses
        import json

        print(json.dumps(dataclasses.asdict(report), default=str))
    else:
        print(report)
    if report.n_failed:
        raise typer.Exit(3)
