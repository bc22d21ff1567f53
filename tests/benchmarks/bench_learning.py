"""Whether the detectors learn: three kinds of detector, and one that hears the wrong person, on small data.

For each seed a split by identity is built and every detector trained and judged on it, each by the commands'
own functions, so a second call goes on where the first was stopped. A cell is the mean over the seeds, its
interval that of 2000 draws of identities within each test part, where there are several, and each seed's own.

Run from the root of the checkout, on a workspace that holds sound, fakes and crops of the corpora:
OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_learning WORKSPACE CORPUS... [--epochs 40]
"""

import argparse
from pathlib import Path

import numpy as np

from avfake.curate.build_split import build_split
from avfake.curate.workspace import open_workspace
from avfake.evaluation.bootstrap import resample
from avfake.evaluation.evaluate import evaluate
from avfake.evaluation.metrics import auc
from avfake.evaluation.result_folder import SCORES
from avfake.evaluation.scores import HEADS, Head, Scores, load_scores
from avfake.training.config import TrainConfig, augmentation, detector_config
from avfake.training.fit import train

WINDOW_S = 2.0
DETECTORS = {  # name -> fields of the detector, and whether each clip has the sound of another person
    "independent": ({"framework": "independent"}, False),
    "late-fusion": ({"framework": "late-fusion"}, False),
    "two-plus-one": ({}, False),
    "two-plus-one, shuffled": ({}, True),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("workspace", type=Path)
    parser.add_argument("corpora", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    given = parser.parse_args()
    found: dict[str, list[Scores]] = {name: [] for name in given.detectors}
    for seed in range(given.seeds):
        for name in given.detectors:
            found[name].append(judged(given.workspace, given.corpora, name, seed, given.epochs))
    for name, scores in found.items():
        cells = [f"{head} {mean_auc(scores, head)}" for head in HEADS]
        print(f"{name:24}" + "  ".join(cells))


def judged(root: Path, corpora: list[str], name: str, seed: int, epochs: int) -> Scores:
    """Scores of a detector on the test part of a seed's split."""
    fields, shuffled = DETECTORS[name]
    split = f"learn{'-shuffled' * shuffled}-s{seed}"
    if not (root / "splits" / split).exists():
        workspace = open_workspace(root)
        build_split(
            workspace,
            name=split,
            corpora=corpora,
            balanced=False,
            shuffle_audio=shuffled,
            ratios=(0.55, 0.2, 0.25),  # so that val, too, has sound of other people to give
            window_s=WINDOW_S,
            min_duration_s=WINDOW_S,  # without padding, which tells the corpora apart
            seed=seed,
        )
    config = TrainConfig(
        split=split,
        detector=detector_config("tiny", [], window_s=WINDOW_S, **fields),
        epochs=epochs,
        batch_size=8,
        learning_rate=1e-3,
        policy="balanced",
        augmentation=augmentation(["flip"]),
        patience=0,
        seed=seed,
    )
    run = f"{name.replace(', ', '-')}-s{seed}"
    print(train(root, config, run=run), flush=True)
    report = evaluate(root, run, split)
    print(report, flush=True)
    return load_scores(Path(report.folder) / SCORES)


def mean_auc(scores: list[Scores], head: Head) -> str:
    """Mean over seeds, its interval if there is one, and each seed's own."""
    values, draws = [], []
    for seed, of_seed in enumerate(scores):
        labels, p = of_seed.labels(head), of_seed.p(head)
        drawn = resample(of_seed.identity_group, seed=seed)
        values.append(float(auc(labels, p, None)))
        draws.append(auc(labels, p, drawn.counts[:, drawn.group].astype(float)))
    each = " ".join(f"{value:.2f}" for value in values)
    if all(len(np.unique(of_seed.identity_group)) == 1 for of_seed in scores):
        return f"{np.mean(values):.2f} ({each})"
    low, high = np.nanquantile(np.mean(draws, axis=0), [0.025, 0.975])
    return f"{np.mean(values):.2f} ({low:.2f}-{high:.2f}; {each})"


if __name__ == "__main__":
    main()
