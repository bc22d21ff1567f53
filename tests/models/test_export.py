"""The ONNX file gives the detector's logits, for any number of clips."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from avfake.errors import AvfakeError
from avfake.models import Detector, DetectorConfig
from avfake.models import export as export_module
from avfake.models.export import export_onnx
from tests.models.small import draw_clips, small, stir

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def stirred(**fields: Any) -> Detector:
    model = small(**fields)
    stir(model)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields",
    [
        {"framework": "independent", "pad": "mean", "waveform_level": "peak", "picture_shrink": 2},
        {"framework": "late-fusion"},
        {"attention": "inter"},
        {"attention": "joint", "connection": "separable", "connection_align": "centred", "connect": "34"},
    ],
    ids=str,
)
def test_logits_are_the_detector_s(fields: dict[str, Any], tmp_path: Path) -> None:
    model, path = stirred(**fields), tmp_path / "detector.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_onnx(model, str(path))
    assert model.training
    assert list(tmp_path.iterdir()) == [path]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    assert names == ["video_logits", "audio_logits", "sync_logits"][: len(names)]
    assert len(names) == (2 if fields.get("framework") == "independent" else 3)
    for n_clips in (1, 5):
        video, audio = draw_clips(model, n_clips, seed=7)
        video[:, :, -2:] = 0
        found = session.run(None, {"video": video.numpy(), "audio": audio.numpy()})
        with torch.no_grad():
            wanted = [x for x in model.eval()(video, audio) if x is not None]
        for theirs, own in zip(found, wanted, strict=True):
            np.testing.assert_allclose(theirs, own, rtol=1e-4, atol=1e-4)
    metadata = session.get_modelmeta().custom_metadata_map
    assert DetectorConfig.from_json(metadata["config"], "metadata") == model.config
    assert b".py" not in path.read_bytes()  # where the code lies is nobody's business


def test_another_network_gets_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose logits are others is refused; here one that always gives zeros."""

    def zeros(model: Detector, path: Path) -> None:
        sizes = {"video": 2, "audio": 2, "sync": 2}
        outputs = [
            onnx.helper.make_tensor_value_info(f"{name}_logits", onnx.TensorProto.FLOAT, [None, size])
            for name, size in sizes.items()
        ]
        inputs = [
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, *shape])
            for name, shape in zip(("video", "audio"), model.clip_shapes, strict=True)
        ]
        value = onnx.helper.make_tensor("value", onnx.TensorProto.FLOAT, [1, 2], [0.0, 0.0])
        nodes = [onnx.helper.make_node("Constant", [], [output.name], value=value) for output in outputs]
        graph = onnx.helper.make_graph(nodes, "zeros", inputs, outputs)
        opset = [onnx.helper.make_opsetid("", 20)]
        onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10), path)

    monkeypatch.setattr(export_module, "_export", zeros)
    with pytest.raises(AvfakeError, match="ONNX logits are .* off the detector's; nothing is written"):
        export_onnx(stirred(), tmp_path / "detector.onnx")
    assert not list(tmp_path.iterdir())
