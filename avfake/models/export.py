"""A detector as ONNX, for programs that run without torch."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from avfake.errors import AvfakeError, need
from avfake.files import whole_file
from avfake.models.frameworks.base import Detector

_TOLERANCE = 1e-4  # of the largest logit, or of 1 where all are smaller
_BATCHES = (1, 3)  # clips on which both are compared; the export itself sees two


def export_onnx(model: Detector, path: Path | str) -> None:
    """Write a detector as one ONNX file, compared with the detector itself before it gets its name.

    Its inputs are ``video`` [batch, 3, frames, height, width] in [0, 1] and ``audio`` [batch, time]; its
    outputs ``video_logits``, ``audio_logits`` and, where the framework has them, ``sync_logits``, each
    [batch, 2]. The configuration is in its metadata, as ``config``.

    Args:
        model: Left as it is; what is written is in evaluation mode.
        path: Of the file.

    Raises:
        AvfakeError: A package is missing, or the result is not the detector's.
        StorageError: The file cannot be written.
    """
    for module in ("onnx", "onnxscript", "onnxruntime"):
        need(module, extra="onnx")
    with _evaluating(model), whole_file(Path(path)) as temporary:
        _export(model, temporary)
        _check(model, temporary)


class _Outputs(nn.Module):
    """A detector whose missing logits are left out."""

    def __init__(self, model: Detector) -> None:
        super().__init__()
        self.model = model

    def forward(self, video: Tensor, audio: Tensor) -> tuple[Tensor, ...]:
        """Those logits that there are."""
        return tuple(logits for logits in self.model(video, audio) if logits is not None)


def _export(model: Detector, path: Path) -> None:
    clips = _draw(model, 2)
    names = [name for name, logits in model(*clips)._asdict().items() if logits is not None]
    with _quiet():
        program = torch.onnx.export(
            _Outputs(model).eval(),
            clips,
            input_names=["video", "audio"],
            output_names=[f"{name}_logits" for name in names],
            dynamic_shapes={"video": {0: "batch"}, "audio": {0: "batch"}},
            dynamo=True,
            verbose=False,
        )
    if program is None:  # what torch gives where it was told a path
        raise AvfakeError("torch made no ONNX program of the detector")
    for node in program.model.graph:
        node.metadata_props.clear()  # lines and paths of the code on this machine
    program.model.metadata_props["config"] = model.config.as_json()
    program.save(path)


def _check(model: Detector, path: Path) -> None:
    """Compare the file with the detector on random clips."""
    runtime = need("onnxruntime", extra="onnx")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for n_clips in _BATCHES:
        video, audio = _draw(model, n_clips)
        found = session.run(None, {"video": video.numpy(), "audio": audio.numpy()})
        wanted = [logits for logits in model(video, audio) if logits is not None]
        for theirs, own in zip(map(torch.from_numpy, found), wanted, strict=True):
            error = float((theirs - own).abs().max() / own.abs().max().clamp_min(1))
            if not error <= _TOLERANCE:  # NaN too
                raise AvfakeError(f"ONNX logits are {error:.1e} off the detector's; nothing is written")


def _draw(model: Detector, n_clips: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(n_clips)
    video, audio = (torch.rand(n_clips, *shape, generator=generator) for shape in model.clip_shapes)
    return video, audio - 0.5


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch says of its own insides: that it is deprecated here, that torchvision is missing."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.filterwarnings("ignore", "# The axis name: batch")  # pictures and sound share it
            yield
    finally:
        log.setLevel(level)
