"""Made scores: a detector of known strength on a balanced split of several identities."""

import numpy as np
import pyarrow as pa

from avfake.evaluation.scores import Scores, make_scores
from avfake.manifest.schema import Quadrant

METHODS, VOCODERS = ("Deepfakes", "Face2Face"), ("melgan", "world")


def make_rows(n_groups: int = 12, n_each: int = 2) -> pa.Table:
    """``n_each`` samples of each quadrant from each identity group."""
    rows = []
    for number in range(n_groups * n_each):
        for quadrant in Quadrant:
            kind = number % 2
            vocoder = VOCODERS[kind] if quadrant.audio_label else None
            rows.append(
                {
                    "sample_id": f"made/c{number:03d}_{quadrant.video_label}/{vocoder or 'real'}",
                    "identity_group": f"g{number // n_each:03d}",
                    "quadrant": quadrant.value,
                    "video_method": METHODS[kind] if quadrant.video_label else None,
                    "vocoder": vocoder,
                }
            )
    return pa.Table.from_pylist(rows)


def make_scored(*, strength: float = 1.5, whole: bool = True, seed: int = 0, **rows: int) -> Scores:
    """Scores of a detector whose logits lie ``strength`` standard deviations apart."""
    table = make_rows(**rows)
    rng = np.random.default_rng(seed)
    quadrants = [Quadrant(name) for name in table["quadrant"].to_pylist()]
    labels = np.array([(q.video_label, q.audio_label, q.label) for q in quadrants]).T
    logits = strength * (labels - 0.5) + rng.standard_normal(labels.shape)
    p_video, p_audio, p_whole = 1 / (1 + np.exp(-logits))
    return make_scores(table, p_video, p_audio, p_whole if whole else None)
