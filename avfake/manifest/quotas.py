"""How many clips of each kind a balanced split takes: arithmetic on counts, before any clip is drawn."""

from collections.abc import Mapping, Sequence

from avfake.errors import AvfakeError


def balanced_quotas(
    split: str,
    n_real: int,
    n_fake: Mapping[str, int],
    *,
    order: Sequence[str],
    per_quadrant: int | None = None,
) -> tuple[int, dict[str, int]]:
    """Clips to take of a split, so that quadrants are equal and methods as equal as integers allow.

    Args:
        split: Name of the split, for messages.
        n_real: Usable clips of real video.
        n_fake: Usable clips of each video method.
        order: The methods in the order in which they get what cannot be divided.
        per_quadrant: Clips wanted; None for as many as possible.

    Returns:
        Clips of real video, and clips of each method; both sum to the same.

    Raises:
        AvfakeError: A cell is short; the message says which and by how many.
    """
    least = min(n_fake.values(), default=0)
    most = len(n_fake) * least + sum(n > least for n in n_fake.values())
    wanted = per_quadrant or max(1, min(n_real, most))
    if n_real < wanted:
        raise _short(f"{split} x real-real", n_real, wanted)
    if not n_fake:
        raise _short(f"{split} x fake-real", 0, wanted)
    each, rest = divmod(wanted, len(n_fake))
    for method in order:
        if n_fake[method] < max(1, each):
            raise _short(f"{split} x fake-real x {method}", n_fake[method], max(1, each))
    lucky = [method for method in order if n_fake[method] > each][:rest]
    if len(lucky) < rest:
        scarce = next(method for method in order if n_fake[method] == each)
        raise _short(f"{split} x fake-real x {scarce}", each, each + 1)
    return wanted, {method: each + (method in lucky) for method in order}


def _short(cell: str, found: int, wanted: int) -> AvfakeError:
    return AvfakeError(
        f"{cell} is short by {wanted - found}: {found} usable clips, {wanted} wanted; "
        "add clips, or change --per-quadrant, --ratios or --seed"
    )
