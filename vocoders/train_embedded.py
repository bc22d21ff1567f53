"""Trains melgan.embedded, the vocoder that travels with avfake: python vocoders/train_embedded.py --help."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from avfake.audio.io import SAMPLE_RATE, load_flac, resample
from avfake.audio.mel import MelConfig, amplitude_to_mel, log_mel, mel_amplitude
from avfake.errors import AvfakeError
from avfake.files import whole_file, write_bytes
from avfake.vocoders.melgan import MelGanConfig, MelGanNetwork

MEL = MelConfig(log="log10", arithmetic="single")
_HEARD_MEL = replace(MEL, log="ln", power_eps=1e-9)  # has a gradient at silence, too
_TRANSFORMS = (512, 1024, 2048)  # of the spectral loss, in samples
_GAIN_DB = (-20.0, 6.0)  # of a training clip, since recordings are of many levels
_PEAK = 0.98
NEVER_SEEN = "LJ001-0002"  # the clip that docs/vocoders.md measures on
_HEARD_FRAMES = 172  # of each held-out clip while training: two seconds
_HELD_OUT_EVERY = 5  # of LibriSpeech's speakers


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What decides the weights, besides the speech.

    Attributes:
        channels: Of the network.
        n_stacks: Residual blocks of each of its stages.
        steps: Of the optimiser.
        n_clips: Of a batch.
        n_frames: Mel frames of each.
        rate: Of learning, constant until the last third of the steps, in which it falls to zero.
        seed: Of the first weights and of what is drawn.
    """

    channels: int = 256
    n_stacks: int = 2
    steps: int = 7000
    n_clips: int = 4
    n_frames: int = 32
    rate: float = 4e-4
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, rising over the first hundred."""
        return self.rate * min(1.0, (step + 1) / 100, 3 * (self.steps - step) / self.steps)


@dataclass(frozen=True)
class Recording:
    """Sound, [time], a whole number of hops, and its Mel amplitudes, [n_mels, mel_frames]."""

    waveform: Tensor
    amplitude: Tensor


def split_by_speaker(folder: Path) -> tuple[list[Path], list[Path]]:
    """Files to train on, and files of other speakers that are held out."""
    libri = sorted(folder.glob("librispeech/*.flac"))
    held_out = set(sorted(set(map(speaker_of, libri)))[::_HELD_OUT_EVERY])
    seen = [path for path in sorted(folder.glob("ljspeech/LJ*.flac")) if path.stem != NEVER_SEEN]
    seen += [path for path in libri if speaker_of(path) not in held_out]
    if not seen or not held_out:
        raise AvfakeError(f"{folder} lacks librispeech/*.flac; wanted at least two speakers")
    return seen, [path for path in libri if speaker_of(path) in held_out]


def speaker_of(path: Path) -> str:
    """Number of the speaker of a file of LibriSpeech."""
    return path.name.partition("-")[0]


def read_recording(path: Path) -> Recording:
    """Load a file at the common rate."""
    sound = resample(*load_flac(path), SAMPLE_RATE)
    waveform = torch.from_numpy(sound[: len(sound) // MEL.hop_length * MEL.hop_length])
    return Recording(waveform, mel_amplitude(waveform[None], MEL)[0])


def draw_batch(recordings: list[Recording], plan: Plan, step: int) -> tuple[Tensor, Tensor]:
    """Mels, [batch, n_mels, mel_frames], and waveforms, [batch, time], that depend on the step alone."""
    chance = np.random.default_rng((plan.seed, step))
    lengths = np.array([recording.amplitude.shape[1] for recording in recordings], dtype=float)
    mels, waveforms = [], []
    for place in chance.choice(len(recordings), plan.n_clips, p=lengths / lengths.sum()):
        recording, hop = recordings[place], MEL.hop_length
        start = int(chance.integers(recording.amplitude.shape[1] - plan.n_frames + 1))
        stop = start + plan.n_frames
        gain = min(10 ** (chance.uniform(*_GAIN_DB) / 20), _PEAK / float(recording.waveform.abs().max()))
        waveforms.append(gain * recording.waveform[start * hop : stop * hop])
        mels.append(amplitude_to_mel(gain * recording.amplitude[:, start:stop], MEL))
    return torch.stack(mels), torch.stack(waveforms)


def first_weights(plan: Plan) -> MelGanNetwork:
    """A network that neither dampens nor swells what passes through it, and whispers at its end."""
    torch.manual_seed(plan.seed)
    network = MelGanNetwork(MelGanConfig(channels=plan.channels, n_stacks=plan.n_stacks), MEL.n_mels)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d)]
    for layer in layers:
        n_inputs = layer.in_channels * (2 if layer.transposed else layer.kernel_size[0])  # of each value
        nn.init.normal_(layer.weight, std=n_inputs**-0.5)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    for name, layer in network.named_modules():
        if name.endswith("shortcut"):
            nn.init.dirac_(layer.weight)
        if name.endswith("block.4"):
            layer.weight.data *= 0.3
    layers[0].weight.data /= 3  # the log10 of amplitudes lies in -5 to 0
    layers[-1].weight.data *= 0.05
    return network


def spectral_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """Distance of waveforms, [batch, time], in magnitudes of several resolutions and on the Mel scale.

    Reference:
        Yamamoto et al., 2020, Parallel WaveGAN, section on the multi-resolution STFT loss.
    """
    loss = functional.l1_loss(log_mel(made, _HEARD_MEL), log_mel(wanted, _HEARD_MEL))
    for n_fft in _TRANSFORMS:
        mine, theirs = (_magnitude(waveform, n_fft) for waveform in (made, wanted))
        converged = (mine - theirs).norm(dim=(1, 2)) / theirs.norm(dim=(1, 2)).clamp_min(1e-3)
        loss = loss + (converged.mean() + functional.l1_loss(mine.log(), theirs.log())) / len(_TRANSFORMS)
    return loss


def _magnitude(waveform: Tensor, n_fft: int) -> Tensor:
    window = torch.hann_window(n_fft)
    frames = torch.stft(waveform, n_fft, n_fft // 4, window=window, center=False, return_complex=True)
    return (torch.view_as_real(frames).square().sum(-1) + 1e-6).sqrt()


@torch.inference_mode()
def copy_error(network: nn.Module, recordings: list[Recording]) -> float:
    """Mean absolute difference of ln-Mels before and after copy synthesis."""
    errors = []
    for recording in recordings:
        made = network(amplitude_to_mel(recording.amplitude[:, :_HEARD_FRAMES], MEL)[None])[:, 0]
        wanted = log_mel(recording.waveform[None, : made.shape[1]], replace(MEL, log="ln"))
        errors.append(float((log_mel(made, replace(MEL, log="ln")) - wanted).abs().mean()))
    return float(np.mean(errors))


class Training:
    """A network on its way, which can stop after any step and go on as if it had not.

    Args:
        plan: What is to be done.
        folder: Where the checkpoint lies.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.path = plan, folder / "checkpoint.pt"
        self.network = first_weights(plan)
        self.average = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(0.998))  # type: ignore[no-untyped-call]
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=plan.rate, betas=(0.8, 0.99))
        self.step = 0
        if self.path.is_file():
            self._resume()

    def advance(self, recordings: list[Recording]) -> float:
        """One step; its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        mel, wanted = draw_batch(recordings, self.plan, self.step)
        loss = spectral_loss(self.network(mel)[:, 0], wanted)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        self.step += 1
        return float(loss.detach())

    def save(self) -> None:
        """Write what ``Training`` needs to go on."""
        states = {name: part.state_dict() for name, part in self._parts().items()}
        with whole_file(self.path) as path:
            torch.save(states | {"step": self.step}, path)

    def _resume(self) -> None:
        content = torch.load(self.path, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(content[name])
        self.step = content["step"]

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {"network": self.network, "average": self.average, "optimizer": self.optimizer}

    def export(self, path: Path) -> None:
        """Write the average of the weights, in half precision, as safetensors."""
        state = self.average.module.state_dict()
        write_bytes(path, save({key: tensor.half().contiguous() for key, tensor in state.items()}))


def main(
    speech: Annotated[Path, typer.Option(help="Folder with ljspeech/ and librispeech/.")],
    out: Annotated[Path, typer.Option(help="Folder of the checkpoint, the log and the weights.")],
    steps: int = Plan.steps,
    every: Annotated[int, typer.Option(help="Steps from one checkpoint to the next.")] = 250,
) -> None:
    """Train, or go on training, and export the weights at each checkpoint."""
    torch.set_num_threads(1)  # one order of all sums
    plan = Plan(steps=steps)
    seen, held_out = ([read_recording(path) for path in paths] for paths in split_by_speaker(speech))
    training, began = Training(plan, out), time.monotonic()
    while training.step < plan.steps:
        n_steps = min(every, plan.steps - training.step)
        losses = [training.advance(seen) for _ in range(n_steps)]
        training.save()
        training.export(out / "melgan.embedded.safetensors")
        error = copy_error(training.average.module, held_out)
        spent_s = time.monotonic() - began
        print(
            f"{training.step} steps: loss {np.mean(losses):.3f}, held out {error:.3f}, {spent_s:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    typer.run(main)
