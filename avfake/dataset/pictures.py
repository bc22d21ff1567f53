"""Values of pictures between disk and network."""

from torch import Tensor


def scale_pictures(video: Tensor) -> Tensor:
    """Pictures of a batch as the networks take them, float32 in [0, 1]; on the device that holds them."""
    return video.float().div_(255)
