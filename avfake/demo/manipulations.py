"""Fake videos: another face blended in, or a mouth that speaks other words than are heard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from avfake.demo.draws import wander
from avfake.demo.face import Performance, bilinear, draw_eyes, draw_mouth, face_patch, paste_head
from avfake.demo.features import MOUTH_V
from avfake.demo.head import paint_head
from avfake.demo.identity import Identity
from avfake.demo.paint import bump, inside, lay
from avfake.demo.voice import Speech

_INNER_FACE = (-0.86, -0.80), (0.86, 1.20)
_AROUND_MOUTH = (-0.62, 0.22), (0.62, 1.28)


@dataclass(frozen=True)
class Scene:
    """What a manipulation works on.

    Attributes:
        target: Who was filmed.
        performance: What he or she did.
        source: Whose face or mouth is put in.
        source_speech: What the source said.
    """

    target: Identity
    performance: Performance
    source: Identity
    source_speech: Speech


def blend(frames: np.ndarray, scene: Scene, rng: np.random.Generator) -> None:
    """Swap the face: the source's inner face, moving as the target did, behind a soft mask; in place.

    Leaves what face swaps leave: a face of less detail than its surroundings, a colour that is nearly
    right, an edge that trembles. Lips still follow the sound.

    Args:
        frames: Of the target, before the camera, float32 [frames, height, width, 3].
        scene: Who and what.
        rng: Decides colour error and trembling.
    """
    performance = scene.performance
    donor = np.zeros_like(frames)
    paste_head(donor, paint_head(scene.source, rng, light=performance.light), performance, within=_INNER_FACE)
    draw_eyes(donor, scene.source, performance)
    draw_mouth(donor, scene.source, performance)
    face, _, _ = face_patch(donor, performance.motion, _INNER_FACE)
    picture, u, v = face_patch(frames, performance.motion, _INNER_FACE)
    tremble_u, tremble_v = (0.012 * _tremble(rng, len(frames)) for _ in range(2))
    radius = np.hypot((u + tremble_u) / 0.76, (v + tremble_v - 0.25) / 0.85)
    mask = inside(1 - radius, 0.22)
    lay(picture, _recoloured(_coarse(face, 1.1), picture, mask, rng), mask)


def warp(frames: np.ndarray, scene: Scene, rng: np.random.Generator) -> None:
    """Reenact the mouth: the target's own, driven by what the source said and pulled about; in place.

    Lips and sound disagree, and the mouth region is coarser and less steady than the rest.

    Args:
        frames: Of the target, before the camera, float32 [frames, height, width, 3].
        scene: Who and what.
        rng: Decides the distortion.
    """
    performance = replace(
        scene.performance, opening=scene.source_speech.opening, width=scene.source_speech.width
    )
    donor = np.zeros_like(frames)
    head = paint_head(scene.target, rng, light=performance.light)
    paste_head(donor, head, performance, within=_AROUND_MOUTH)
    draw_mouth(donor, scene.target, performance)
    face, _, _ = face_patch(donor, performance.motion, _AROUND_MOUTH)
    picture, u, v = face_patch(frames, performance.motion, _AROUND_MOUTH)
    mask = inside(1 - np.hypot(u / 0.56, (v - MOUTH_V - 0.06) / 0.46), 0.25)
    pulled = _pulled(_coarse(face, 1.2), bump(u, v, at=(0, MOUTH_V), size=(0.35, 0.28)), rng)
    lay(picture, _recoloured(pulled, picture, mask, rng), mask)


METHODS: Mapping[str, Callable[[np.ndarray, Scene, np.random.Generator], None]] = {
    "blend": blend,
    "warp": warp,
}


def _coarse(face: np.ndarray, sigma: float) -> np.ndarray:
    """As generated at a lower resolution."""
    coarse: np.ndarray = gaussian_filter(face, (sigma, sigma), axes=(1, 2), truncate=3.0)
    return coarse


def _recoloured(
    face: np.ndarray, picture: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The face in nearly the colour of the picture: the mean is matched with an error of a few percent."""
    error = rng.uniform(0.02, 0.07, 3) * rng.choice([-1.0, 1.0], 3)
    wanted, found = (np.einsum("fhwc,fhw->c", each, mask) / mask.sum() for each in (picture, face))
    recoloured: np.ndarray = face + (wanted * (1 + error) - found).astype(np.float32)
    return recoloured


def _tremble(rng: np.random.Generator, n_frames: int) -> np.ndarray:
    """Restless curve, [frames, 1, 1], standard deviation 1."""
    return wander(rng, n_frames, smoothness=0.8).astype(np.float32)[:, None, None]


def _pulled(face: np.ndarray, region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift a region of each frame by up to a few pixels that change from frame to frame."""
    rows, columns = np.mgrid[: face.shape[1], : face.shape[2]].astype(np.float32)
    sideways, down = (1.1 * _tremble(rng, len(face)) * region for _ in range(2))
    return np.stack([bilinear(*each) for each in zip(face, columns + sideways, rows + down, strict=True)])
