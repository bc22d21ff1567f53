"""Central connections: sound's features, brought to the pace and the channels of the pictures'."""

from typing import NamedTuple

from torch import Tensor, nn

from avfake.errors import AvfakeError
from avfake.models.config import DetectorConfig


class Windows(NamedTuple):
    """What a convolution reads of a stage's sound for each of its pictures.

    Attributes:
        stride: Features from one window to the next.
        kernel_size: Features in a window.
        padding: Zeros before the first feature, and after the last.
    """

    stride: int
    kernel_size: int
    padding: int = 0


def literal_windows(n_audio: int, n_video: int) -> Windows:
    """Windows laid from the first feature to the last, which see every one.

    Args:
        n_audio: Features of a clip's sound.
        n_video: Features of its pictures in time.

    Raises:
        AvfakeError: Sound has fewer features than pictures.
    """
    stride = n_audio // n_video
    if not stride:
        raise AvfakeError(f"{n_audio} features of sound are too few for {n_video} of pictures")
    return Windows(stride, n_audio - (n_video - 1) * stride)


def centred_windows(n_audio: int, n_video: int, pictures_apart: float) -> Windows:
    """Windows around the moments that the features of pictures belong to.

    Strided convolutions over pictures keep the first one first: feature j belongs to the picture that is
    ``j * pictures_apart`` of the clip from its start, not to the middle of the j-th piece of the clip.

    Args:
        n_audio: Features of a clip's sound.
        n_video: Features of its pictures in time.
        pictures_apart: From one of these to the next, as a share of the clip.
    """
    stride = max(1, round(n_audio * pictures_apart))
    kernel_size = max(literal_windows(n_audio, n_video).kernel_size, stride)  # nothing between two is lost
    return Windows(stride, kernel_size, kernel_size // 2)


class CentralConnection(nn.Module):
    """Strided convolution over time: [batch, n_in, time] -> [batch, n_out, frames, 1, 1].

    The last two axes are those of the picture, over which the sound is the same. They broadcast; a tiled
    copy of the first stage would take 1.4 GiB for 64 clips.

    Reference:
        Zhou and Lim, 2021, Joint audio-visual deepfake detection, figure 2d.

    Args:
        config: Its ``connection`` says of which kind.
        n_in: Channels of the sound.
        n_out: Channels of the pictures.
        n_video: Features of the pictures in time.
        windows: What is read for each.
    """

    def __init__(self, config: DetectorConfig, n_in: int, n_out: int, n_video: int, windows: Windows) -> None:
        super().__init__()
        stride, kernel_size, padding = windows
        self.n_video = n_video
        if config.connection == "dense":
            self.conv: nn.Module = nn.Conv1d(n_in, n_out, kernel_size, stride, padding)
        else:
            each = nn.Conv1d(n_in, n_in, kernel_size, stride, padding, groups=n_in, bias=False)
            self.conv = nn.Sequential(each, nn.Conv1d(n_in, n_out, 1))

    def forward(self, audio: Tensor) -> Tensor:
        """Bring sound to the pace of pictures."""
        paced: Tensor = self.conv(audio)[:, :, : self.n_video]  # centred windows may go on beyond the clip
        return paced[..., None, None]
