import torch

from avfake.dataset.pictures import scale_pictures


def test_scaled_pictures_lie_in_0_to_1() -> None:
    video = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert torch.equal(scale_pictures(video), torch.tensor([0, 0.2, 1.0]))
    assert video.tolist() == [0, 51, 255]
