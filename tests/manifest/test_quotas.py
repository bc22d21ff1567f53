import pytest
from hypothesis import given
from hypothesis import strategies as st

from avfake.errors import AvfakeError
from avfake.manifest.quotas import balanced_quotas

METHODS = ("Deepfakes", "Face2Face", "FaceSwap")


def quotas(n_real: int, *n_fake: int, per_quadrant: int | None = None) -> tuple[int, dict[str, int]]:
    names = METHODS[: len(n_fake)]
    found = dict(zip(names, n_fake, strict=True))
    return balanced_quotas("val", n_real, found, order=names, per_quadrant=per_quadrant)


@given(st.integers(1, 60), st.lists(st.integers(1, 40), min_size=1, max_size=3))
def test_quotas_are_equal_and_cannot_be_larger(n_real: int, n_fake: list[int]) -> None:
    n, methods = quotas(n_real, *n_fake)
    assert n == sum(methods.values()) <= n_real
    assert max(methods.values()) - min(methods.values()) <= 1
    assert all(methods[name] <= found for name, found in zip(METHODS, n_fake, strict=False))
    with pytest.raises(AvfakeError, match="is short by"):
        quotas(n_real, *n_fake, per_quadrant=n + 1)


@pytest.mark.parametrize("wanted", [1, 2, 3, 5])
def test_quotas_are_as_many_as_asked(wanted: int) -> None:
    n, methods = quotas(9, 9, 2, 9, per_quadrant=wanted)
    assert n == wanted == sum(methods.values())


def test_rest_goes_to_methods_that_have_more() -> None:
    assert quotas(9, 2, 3, 3) == (8, {"Deepfakes": 2, "Face2Face": 3, "FaceSwap": 3})


@pytest.mark.parametrize(
    ("n_real", "n_fake", "wanted", "cell", "by"),
    [
        (0, (4, 4), None, "val x real-real", 1),
        (4, (), None, "val x fake-real", 1),
        (4, (4, 0), None, "val x fake-real x Face2Face", 1),
        (3, (9, 9), 8, "val x real-real", 5),
        (9, (9, 1), 8, "val x fake-real x Face2Face", 3),
        (9, (4, 4), 9, "val x fake-real x Deepfakes", 1),
    ],
)
def test_impossible_quota_names_the_short_cell(
    n_real: int, n_fake: tuple[int, ...], wanted: int | None, cell: str, by: int
) -> None:
    with pytest.raises(AvfakeError, match=f"^{cell} is short by {by}: "):
        quotas(n_real, *n_fake, per_quadrant=wanted)
