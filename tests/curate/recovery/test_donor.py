"""Whose sound a clip gets."""

import pytest

from avfake.curate.recovery.donor import find_donor
from avfake.manifest.splits import ffpp_methods


def row(method: str | None = None, target: str = "519", source: str | None = None) -> dict[str, str | None]:
    return {"video_method": method, "target": target, "source": source, "compression": "c23"}


@pytest.mark.parametrize("choice", ["target", "source"])
def test_an_original_is_its_own_donor(choice: str) -> None:
    donor = find_donor(row(), choice)
    assert donor.sequence.sequence_id == "519"
    assert (donor.audio_from, donor.clip_id) == ("target", "youtube-c23-519")


@pytest.mark.parametrize("method", [name for name, m in ffpp_methods().items() if m.originals == "youtube"])
@pytest.mark.parametrize("choice", ["target", "source"])
def test_only_reenactments_may_take_the_sound_of_their_source(method: str, choice: str) -> None:
    donor = find_donor(row(method, "519", "515"), choice)
    reenacted = method in {"Face2Face", "NeuralTextures"}
    assert donor.audio_from == ("source" if reenacted and choice == "source" else "target")
    assert donor.sequence.sequence_id == {"target": "519", "source": "515"}[donor.audio_from]


def test_actors_have_no_donor() -> None:
    assert find_donor(row(None, "01"), "target") is None
    assert find_donor(row("DeepFakeDetection", "01", "02"), "target") is None
