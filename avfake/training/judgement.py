"""How well a detector does on the whole of val."""

import numpy as np
from numpy.typing import NDArray

from avfake.errors import AvfakeError
from avfake.evaluation.metrics import auc, balanced_accuracy
from avfake.evaluation.scores import HEADS


def judge(values: NDArray[np.float64]) -> dict[str, float]:
    """AUC and balanced accuracy of each head.

    Args:
        values: [rows, 6]: three probabilities of being fake, and the three labels, in the order of ``HEADS``.

    Raises:
        AvfakeError: A probability is NaN.
    """
    if np.isnan(values).any():
        raise AvfakeError(
            "the detector judges val with NaN; train under another --run with a lower --learning-rate"
        )
    results = {}
    for place, head in enumerate(HEADS):
        p, labels = values[:, place], values[:, len(HEADS) + place].astype(np.int64)
        results[f"auc_{head}"] = float(auc(labels, p))
        results[f"balanced_accuracy_{head}"] = float(balanced_accuracy(labels, p))
    return results
