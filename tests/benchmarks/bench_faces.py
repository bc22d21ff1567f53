"""Faces of a 10 s clip of 1920x1080: avfake beside facenet-pytorch's MTCNN on every frame, on one thread.

The clip is a real one of the development material ($AVFAKE_SHARED), brought to that size, 25 fps and H.264.
The ways take turns, round after round; what counts is CPU time, which other work on the machine disturbs
less. MTCNN looks at every tenth frame, and that time is multiplied by ten. It is left out where
facenet-pytorch cannot be imported.

--clips compares both detectors on all clips of the material instead: whether the default misses a face in
any picture, and on about four pictures of each clip how far MTCNN's largest box overlaps the default's
nearest. How often either agrees with what it finds in the mirrored picture tells how much of that agreement
can be had.

Run from the root of the checkout: python -m tests.benchmarks.bench_faces [--rounds 3] [--clips]
"""

import argparse
import csv
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from threadpoolctl import threadpool_limits

from avfake.errors import AvfakeError
from avfake.faces.detect import Face, FaceDetector, Picture, load_detector
from avfake.faces.extract import extract_face
from avfake.faces.retinaface import overlap
from avfake.video.sample import Pictures

SHARED = Path(os.environ.get("AVFAKE_SHARED", Path(__file__).parents[2] / ".." / "shared"))
DURATION_S, FPS, WIDTH, HEIGHT = 10, 25, 1920, 1080
STRIDE = 10  # of the frames that MTCNN looks at
SAME = 0.8  # overlap of boxes that agree
WITH_FACES = ("talking", "videofake", "dubbed", "ffpp", "dfdc", "mismatch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clips", action="store_true")
    chosen = parser.parse_args()
    with threadpool_limits(1):
        default, mtcnn = load_detector("retinaface"), optional("mtcnn")
        if chosen.clips:
            compare(default, mtcnn)
        else:
            race(default, mtcnn, chosen.rounds)


def optional(name: str) -> FaceDetector | None:
    try:
        detector = load_detector(name)
    except AvfakeError as error:
        print(error)
        return None
    import torch

    torch.set_num_threads(1)
    return detector


def race(default: FaceDetector, mtcnn: FaceDetector | None, n_rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder) / "clip.mp4")
        ways: dict[str, Callable[[], float]] = {
            "bare decoding": lambda: cpu_s(lambda: sum(1 for _ in frames(clip))),
            "decoding and detection, 10 fps": lambda: cpu_s(
                lambda: [default([one]) for one in Pictures(clip)]
            ),
            "crops of the whole clip": lambda: cpu_s(lambda: extract_face(clip, default)),
        }
        if mtcnn:
            ways["MTCNN on every frame"] = lambda: every_frame(clip, mtcnn)
        default([np.zeros((HEIGHT, WIDTH, 3), np.uint8)])
        rounds = [{name: way() for name, way in ways.items()} for _ in range(n_rounds)]
        print(f"| one clip of {DURATION_S} s, {WIDTH}x{HEIGHT}, {FPS} fps | CPU s (all rounds) ", end="")
        print("| MTCNN takes so many times as long |\n|---|---|---|")
        for name in ways:
            times_s = [one[name] for one in rounds]
            ratios = [one["MTCNN on every frame"] / one[name] for one in rounds if mtcnn]
            print(f"| {name} | {middle(times_s, 2)} | {middle(ratios, 1)} |")
        if mtcnn:
            picked = islice(Pictures(clip), 2, None, 5)
            print_agreement("this clip", [pair_of(one, default, mtcnn) for one in picked])


def make_clip(path: Path) -> Path:
    """The largest picture of the material that is wide and long enough, at the size and length to measure."""
    fitting = [
        row
        for row in rows()
        if float(row["duration_s"]) >= DURATION_S and int(row["width"]) > int(row["height"])
    ]
    source = SHARED / "data" / max(fitting, key=lambda row: int(row["width"]))["path"]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, frame in enumerate(frames(source)):
            if number == DURATION_S * FPS:
                break
            large = frame.reformat(WIDTH, HEIGHT, "yuv420p", interpolation="BICUBIC")
            large.pts, large.time_base = number, Fraction(1, FPS)
            out.mux(stream.encode(large))
        out.mux(stream.encode(None))
    return path


def rows() -> list[dict[str, str]]:
    with (SHARED / "data" / "index.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["kind"] in WITH_FACES]


def frames(path: Path) -> Iterator[av.VideoFrame]:
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_type = "NONE"
        yield from container.decode(video=0)


def every_frame(clip: Path, detector: FaceDetector) -> float:
    """CPU seconds of decoding all frames and of looking at each."""
    total_s = cpu_s(lambda: sum(1 for _ in frames(clip)))
    for number, frame in enumerate(frames(clip)):
        if number % STRIDE == STRIDE // 2:
            total_s += STRIDE * cpu_s(lambda one=frame: detector([one.to_ndarray(format="rgb24")]))
    return total_s


def cpu_s(work: Callable[[], object]) -> float:
    start_s = time.process_time()
    work()
    return time.process_time() - start_s


def middle(values: Sequence[float], digits: int) -> str:
    if not values:
        return "-"
    return f"{np.median(values):.{digits}f} ({', '.join(f'{value:.{digits}f}' for value in values)})"


class Pair(NamedTuple):
    """Overlaps in one picture: of both detectors, and of each with itself in the mirror."""

    both: float
    default: float
    mtcnn: float


def compare(default: FaceDetector, mtcnn: FaceDetector | None) -> None:
    n_pictures, n_missed = 0, 0
    pairs: list[Pair] = []
    for row in rows():
        pictures = Pictures(SHARED / "data" / row["path"])
        found = [bool(faces) for picture in pictures for faces in default([picture])]
        n_pictures, n_missed = n_pictures + len(found), n_missed + found.count(False)
        if not all(found):
            print(f"{row['path']}: no face in {found.count(False)} of {len(found)} pictures")
        if mtcnn:
            step = max(1, len(found) // 4)
            picked = islice(pictures, step // 2, None, step)
            pairs += [pair_of(picture, default, mtcnn) for picture in picked]
    print(f"no face in {n_missed} of {n_pictures} pictures at 10 fps")
    if mtcnn:
        print_agreement("all clips", pairs)


def pair_of(picture: Picture, default: FaceDetector, mtcnn: FaceDetector) -> Pair:
    faces, others = default([picture])[0], mtcnn([picture])[0]
    if not faces or not others:
        return Pair(float(not faces and not others), 1.0, 1.0)
    largest = max(others, key=lambda face: np.prod(face.box[2:] - face.box[:2]))
    same = max(faces, key=lambda face: share(face, [largest]))
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    own, theirs = (
        [mirror(face, picture.shape[1]) for face in detector([mirrored])[0]] for detector in (default, mtcnn)
    )
    return Pair(share(same, [largest]), share(same, own), share(largest, theirs))


def share(face: Face, others: Sequence[Face]) -> float:
    """Overlap with the one of the others that overlaps most."""
    if not others:
        return 0.0
    return float(overlap(face.box, np.stack([other.box for other in others])).max())


def mirror(face: Face, width: int) -> Face:
    left, top, right, bottom = face.box
    return face._replace(box=np.array([width - right, top, width - left, bottom], np.float32))


def print_agreement(title: str, pairs: Sequence[Pair]) -> None:
    both, default, mtcnn = np.array(pairs).T
    print(
        f"{title}: boxes overlap by {SAME} or more in {np.mean(both >= SAME):.1%} of {len(pairs)} pictures, "
    )
    print(f"by {np.median(both):.3f} in the median; with themselves mirrored: default ", end="")
    print(f"{np.mean(default >= SAME):.1%}, MTCNN {np.mean(mtcnn >= SAME):.1%}")


if __name__ == "__main__":
    main()
