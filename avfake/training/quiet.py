"""Lightning's many words, kept out of what avfake says unless they are asked for."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_TALKATIVE = ("pytorch_lightning", "lightning_fabric", "lightning", "torch.distributed")


@contextmanager
def quietly() -> Iterator[None]:
    """Let errors alone through, unless the root logger takes what is merely informative."""
    if logging.getLogger().isEnabledFor(logging.INFO):
        yield
        return
    levels = {name: logging.getLogger(name).level for name in _TALKATIVE}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in levels:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
