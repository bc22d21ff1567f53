"""The sync stream says whether, the heads say what."""

import pytest
import torch

from avfake.models import Logits, Probabilities, Verdict, verdicts


def probabilities(*clips: tuple[float, float, float]) -> Probabilities:
    return Probabilities(*torch.tensor(clips).T)


@pytest.mark.parametrize(
    ("video", "audio", "whole", "wanted"),
    [
        (0.1, 0.1, 0.1, Verdict.REAL),
        (0.9, 0.9, 0.4, Verdict.REAL),
        (0.9, 0.1, 0.9, Verdict.FAKE_VIDEO),
        (0.1, 0.9, 0.9, Verdict.FAKE_AUDIO),
        (0.9, 0.9, 0.9, Verdict.FAKE_BOTH),
        (0.4, 0.4, 0.9, Verdict.UNATTRIBUTED),
        (0.5, 0.4, 0.5, Verdict.FAKE_VIDEO),
    ],
)
def test_the_whole_decides_and_the_heads_attribute(
    video: float, audio: float, whole: float, wanted: Verdict
) -> None:
    assert verdicts(probabilities((video, audio, whole))) == [wanted]


def test_threshold_is_for_all_three() -> None:
    clips = probabilities((0.6, 0.8, 0.9), (0.6, 0.6, 0.6))
    assert verdicts(clips, threshold=0.7) == [Verdict.FAKE_AUDIO, Verdict.REAL]


def test_independent_streams_always_attribute() -> None:
    logits = 3 * torch.randn(200, 2), 3 * torch.randn(200, 2)
    found = verdicts(Logits(*logits).probabilities())
    assert Verdict.UNATTRIBUTED not in found
    assert set(found) == {Verdict.REAL, Verdict.FAKE_VIDEO, Verdict.FAKE_AUDIO, Verdict.FAKE_BOTH}


def test_words() -> None:
    assert str(Verdict.UNATTRIBUTED) == "fake (unattributed)"


def test_no_number_is_no_verdict() -> None:
    with pytest.raises(ValueError, match=r"probabilities of a clip are 0\.1\d*, nan and 0\.1"):
        verdicts(probabilities((0.1, float("nan"), 0.1)))
