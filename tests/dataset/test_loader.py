from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from avfake.dataset.augment import Augmentation
from avfake.dataset.clips import ClipDataset
from avfake.dataset.loader import Batch, ClipLoader, build_loader, scale_pictures
from avfake.dataset.sampling import build_sampler
from avfake.errors import ClipError
from tests.dataset.making import make_split

AUGMENTATION = Augmentation(flip=0.5, grain=0.5, noise=0.5, speed=0.5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loader")


@pytest.fixture(scope="module")
def table(root: Path) -> pa.Table:
    return make_split(root, n_people=3, seconds=0.6)


def make_loader(root: Path, table: pa.Table, n_workers: int = 0, **options: object) -> ClipLoader:
    dataset = ClipDataset(table, root, augmentation=AUGMENTATION, seed=1)
    sampler = build_sampler(table, "balanced", seed=1)
    return build_loader(dataset, batch_size=5, sampler=sampler, n_workers=n_workers, **options)


def same(one: Batch, other: Batch) -> bool:
    tensors = zip((*one[:2], *one.labels, *one[4:]), (*other[:2], *other.labels, *other[4:]), strict=True)
    return one.sample_ids == other.sample_ids and all(torch.equal(a, b) for a, b in tensors)


def test_batch_is_its_clips_side_by_side(root: Path, table: pa.Table) -> None:
    dataset = ClipDataset(table, root)
    (batch,) = build_loader(dataset, batch_size=12)
    assert batch.sample_ids == table["sample_id"].to_pylist()
    assert batch.video.shape == (12, 3, 30, 112, 112)
    assert batch.video.dtype == torch.uint8
    assert batch.audio.shape == (12, 66_150)
    assert batch.labels.whole.tolist() == table["label"].to_pylist()
    for row, clip in enumerate(dataset):
        assert torch.equal(batch.video[row], clip.video)
        assert torch.equal(batch.audio[row], clip.audio)
        assert batch.pad_frames[row] == clip.pad_frames


def test_number_of_workers_changes_nothing(root: Path, table: pa.Table) -> None:
    loaders = [make_loader(root, table, n_workers) for n_workers in (0, 2)]
    for epoch in (0, 1):
        for loader in loaders:
            loader.sampler.set_epoch(epoch)
        batches = [list(loader) for loader in loaders]
        assert all(same(one, other) for one, other in zip(*batches, strict=True))


def test_resuming_goes_on_with_the_next_batch(root: Path, table: pa.Table) -> None:
    loader = make_loader(root, table)
    loader.sampler.set_epoch(2)
    passing = iter(loader)
    first = next(passing)
    state = loader.state_dict()
    rest = list(passing)
    resumed = make_loader(root, table)
    resumed.load_state_dict(state)
    iterator = iter(resumed)
    resumed.sampler.set_epoch(2)  # trainers may ask for the iterator first
    again = list(iterator)
    assert len(again) == len(rest) == 2
    assert all(same(one, other) for one, other in zip(again, rest, strict=True))
    assert not same(again[0], first)
    assert resumed.state_dict() == {"epoch": 3, "n_drawn": 0}


def test_drop_last_keeps_batches_full(root: Path, table: pa.Table) -> None:
    sizes = [len(batch.sample_ids) for batch in make_loader(root, table, drop_last=True)]
    assert sizes == [5, 5]


@pytest.mark.parametrize("n_workers", [0, 1])
def test_broken_row_stops_the_pass_with_one_line(root: Path, table: pa.Table, n_workers: int) -> None:
    rows = table.to_pylist()
    rows[6] |= {"faces_path": "faces/made/none.avi"}
    broken = pa.Table.from_pylist(rows, schema=table.schema)
    loader = build_loader(ClipDataset(broken, root), batch_size=4, n_workers=n_workers)
    passing = iter(loader)
    assert next(passing).sample_ids == table["sample_id"].to_pylist()[:4]
    with pytest.raises(ClipError) as caught:
        next(passing)
    message = str(caught.value)
    assert message.startswith(f"sample {rows[6]['sample_id']} of corpus made: faces/made/none.avi: ")
    assert "\n" not in message


def test_loading_leaves_the_global_generators_alone(root: Path, table: pa.Table) -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    list(make_loader(root, table))
    drawn = torch.rand(1), np.random.rand()
    torch.manual_seed(0)
    np.random.seed(0)
    assert drawn == (torch.rand(1), np.random.rand())


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 3, 5])
def test_lightning_resumes_inside_an_epoch_and_at_its_end(root: Path, table: pa.Table, stop: int) -> None:
    pl = pytest.importorskip("pytorch_lightning")

    class Listener(pl.LightningModule):
        """Learns nothing and writes down what it sees."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))
            self.seen: list[list[str]] = []

        def training_step(self, batch: Batch, number: int) -> torch.Tensor:
            self.seen.append(batch.sample_ids)
            return self.weight * batch.audio.mean()

        def on_train_batch_end(self, *_: object) -> None:
            if self.global_step == stop:
                self.trainer.save_checkpoint(root / "stopped.ckpt")

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.1)

    def fit(checkpoint: Path | None) -> list[list[str]]:
        listener = Listener()
        quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar"), False)
        trainer = pl.Trainer(
            max_epochs=2, accelerator="cpu", use_distributed_sampler=False, default_root_dir=root, **quiet
        )
        trainer.fit(listener, make_loader(root, table), ckpt_path=checkpoint)
        return listener.seen

    undisturbed = fit(None)
    assert len(undisturbed) == 6
    assert fit(root / "stopped.ckpt") == undisturbed[stop:]


def test_scaled_pictures_lie_in_0_to_1() -> None:
    video = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert torch.equal(scale_pictures(video), torch.tensor([0, 0.2, 1.0]))
    assert video.tolist() == [0, 51, 255]
