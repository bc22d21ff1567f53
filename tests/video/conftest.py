"""Takes that every test here films, and one upload of them at each frame rate."""

import pytest

from tests.ffpp_world import Take, generated_takes
from tests.video.shooting import RATES, Film, clock, shoot


@pytest.fixture(scope="session")
def takes() -> list[Take]:
    return list(generated_takes(6, 0))


@pytest.fixture(scope="session")
def others() -> list[Take]:
    """None of them is among ``takes``."""
    return list(generated_takes(6, 1))


@pytest.fixture(scope="session")
def uploads(takes: list[Take], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Film]:
    folder = tmp_path_factory.mktemp("uploads")
    length_s = sum(take.length_s for take in takes)
    return {name: shoot(folder / f"{name}.mp4", takes, clock(rate, length_s)) for name, rate in RATES.items()}
