"""What a vocoder is: something that makes a waveform from a Mel spectrogram, or from a waveform."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:  # listing vocoders shall not load torch
    import torch
    from torch import Tensor

    from avfake.audio.blur import Blur
    from avfake.audio.io import Waveform
    from avfake.audio.mel import MelConfig


@runtime_checkable
class MelVocoder(Protocol):
    """A vocoder driven by a log-Mel spectrogram.

    Attributes:
        name: As in ``list_vocoders()``.
        mel: The front-end it wants; its sample rate is the vocoder's.
        checkpoint_sha256: Of the weights in use; None for a family without any.
    """

    name: str
    mel: "MelConfig"
    checkpoint_sha256: str | None

    def __call__(self, mel: "Tensor") -> "Tensor":
        """Make waveforms of a batch of log-Mel spectrograms.

        Args:
            mel: [batch, n_mels, mel_frames], at least two frames, in the units of ``self.mel``. Statistics,
                context and whatever else the network wants are added inside.

        Returns:
            [batch, time], ``time = self.mel.n_samples(mel_frames)``; sample n belongs to sample n of the
            waveform the Mel was made of. No clip's result depends on its neighbours in the batch. It lies on
            the Mel's device, wherever the network computes.
        """
        ...


class NeuralVocoder(MelVocoder, Protocol):
    """A Mel vocoder whose network can be moved."""

    def to(self, device: "torch.device") -> None:
        """Let the network compute on a device; Mels may lie on any."""
        ...


@runtime_checkable
class SideBySide(MelVocoder, Protocol):
    """A Mel vocoder that is faster when it makes many clips at once, whatever their lengths."""

    def make(self, clips: "Sequence[Tensor]") -> "list[Tensor]":
        """Waveforms, each [time], of log-Mel spectrograms, each [n_mels, mel_frames]."""
        ...


@runtime_checkable
class WaveformVocoder(Protocol):
    """A vocoder that analyses the waveform itself, because a Mel does not hold what it needs.

    Attributes:
        name: As in ``list_vocoders()``.
        sample_rate: Of the waveform it takes and gives, in Hz.
        checkpoint_sha256: Of the weights in use; None for a family without any.
    """

    name: str
    sample_rate: int
    checkpoint_sha256: str | None

    def __call__(self, waveform: "Waveform", blur: "Blur") -> "Waveform":
        """Resynthesise one waveform, its spectral envelope blurred.

        Args:
            waveform: [time], in [-1, 1], at least a quarter of a second.
            blur: Applied to the log envelope; both widths zero leave it exactly as it is.

        Returns:
            [time], as long as ``waveform`` and aligned with it.
        """
        ...


Vocoder = MelVocoder | WaveformVocoder


def check_mel(mel: "Tensor", config: "MelConfig") -> None:
    """Refuse what is no batch of log-Mels of a front-end, as every Mel vocoder does.

    Args:
        mel: [batch, n_mels, mel_frames].
        config: The vocoder's front-end.

    Raises:
        ValueError: The shape is another one, or a value is NaN or infinite.
    """
    if mel.ndim != 3 or mel.shape[1] != config.n_mels or mel.shape[2] < 2:
        raise ValueError(
            f"mel is {list(mel.shape)}; wanted [batch, {config.n_mels}, mel_frames] of at least 2 frames"
        )
    if not mel.isfinite().all():
        raise ValueError("mel holds NaN or infinite values; wanted finite ones")
