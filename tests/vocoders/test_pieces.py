"""Pieces of a clip weigh one together wherever they meet."""

import numpy as np
import pytest

from avfake.vocoders import pieces
from avfake.vocoders.pieces import cut_pieces


@pytest.mark.parametrize("n_samples", [1, 1000, 1299, 1300, 1301, 2299, 2301, 5000])
def test_pieces_cover_every_sample_once(monkeypatch: pytest.MonkeyPatch, n_samples: int) -> None:
    monkeypatch.setattr(pieces, "_PIECE_S", 1.0)
    monkeypatch.setattr(pieces, "_CONTEXT_S", 0.3)
    total = np.zeros(n_samples)
    for piece in cut_pieces(n_samples, 1000):
        total[piece.heard][piece.kept] += piece.weight
    np.testing.assert_allclose(total, 1, atol=1e-6)
