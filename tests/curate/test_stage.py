"""The laws of every stage: nothing lost, the same bytes, one redone shard at most."""

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avfake.curate.stage import Stage, read_ledger, run_stage
from avfake.curate.task import OneByOne, Outcome, Task
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError, ClipError, ErrorKind, StorageError
from avfake.files import write_bytes


@dataclass(frozen=True)
class Write:
    """Writes each clip's id to a file and notes each attempt; fails in the way a clip asks for."""

    root: Path

    def __call__(self, task: Task) -> Outcome:
        with (self.root / "attempts").open("a") as attempts:
            attempts.write(task.clip_id + "\n")
        if task.facts.get("broken"):
            raise ClipError(ErrorKind.CORRUPT, "broken\nin two lines")
        if task.facts.get("bug"):
            raise ZeroDivisionError("not foreseen")
        if task.facts.get("full"):
            raise StorageError("cannot write x: No space left on device")
        if task.facts.get("slow"):
            time.sleep(0.3)
        if task.facts.get("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        name = f"media/{task.clip_id}.txt"
        write_bytes(self.root / name, task.clip_id.encode())
        return {"media_path": name, "length": len(task.clip_id)}


def stage(root: Path, *, shard_size: int = 4, **config: int) -> Stage:
    fields = [pa.field("media_path", pa.string()), pa.field("length", pa.int32())]
    work = OneByOne(Write(root))
    return Stage(root / "s.parquet", "x", fields, config, work, root, "media_path", shard_size)


def tasks(n_clips: int, **facts: set[int]) -> Iterator[Task]:
    for number in reversed(range(n_clips)):
        mine = {name: number in numbers for name, numbers in facts.items()}
        yield Task("corpus", f"clip{number:03d}", "v1", mine)


def attempts(root: Path) -> list[str]:
    path = root / "attempts"
    names = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return names


def bytes_of(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file() and path.name != "attempts"]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_clip_gets_its_row_failures_included(tmp_path: Path) -> None:
    report = run_stage(stage(tmp_path), tasks(10, broken={3}, bug={4}))
    rows = read_ledger(tmp_path / "s.parquet", "x")
    assert [row["clip_id"] for row in rows] == [f"clip{number:03d}" for number in range(10)]
    assert (report.n_ok, report.n_failed, report.failures) == (8, 2, {"corrupt": 1, "internal": 1})
    assert rows[3]["error"] == "broken in two lines"
    assert rows[4]["error"] == "ZeroDivisionError: not foreseen"


def test_a_second_run_redoes_nothing_and_changes_no_byte(tmp_path: Path) -> None:
    run_stage(stage(tmp_path), tasks(10, broken={3}))
    before, _ = bytes_of(tmp_path), attempts(tmp_path)
    report = run_stage(stage(tmp_path), tasks(10, broken={3}))
    assert (attempts(tmp_path), bytes_of(tmp_path)) == ([], before)
    assert (report.n_done_before, report.n_ok) == (10, 9)


def test_jobs_change_no_byte(tmp_path: Path) -> None:
    for jobs in (1, 2):
        (tmp_path / str(jobs)).mkdir()
        run_stage(stage(tmp_path / str(jobs)), tasks(10, broken={3}), jobs=jobs)
    assert bytes_of(tmp_path / "1") == bytes_of(tmp_path / "2")


@pytest.mark.parametrize(("retry", "again"), [("transient", []), ("failed", ["clip003"])])
def test_retry_chooses_what_is_tried_again(tmp_path: Path, retry: str, again: list[str]) -> None:
    run_stage(stage(tmp_path), tasks(10, broken={3}))
    attempts(tmp_path)
    report = run_stage(stage(tmp_path), tasks(10), retry=retry)  # type: ignore[arg-type]
    assert attempts(tmp_path) == again
    assert report.n_ok == 9 + len(again)


def test_retrying_mends_the_ledger_to_what_an_undisturbed_run_gives(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    run_stage(stage(tmp_path / "a"), tasks(10, broken={3}))
    run_stage(stage(tmp_path / "a"), tasks(10), retry="failed")
    run_stage(stage(tmp_path / "b"), tasks(10))
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_a_changed_input_or_a_lost_file_is_done_again(tmp_path: Path) -> None:
    run_stage(stage(tmp_path), tasks(8))
    attempts(tmp_path)
    (tmp_path / "media" / "clip002.txt").unlink()
    changed = [
        Task("corpus", "clip005", "v2", {}) if task.clip_id == "clip005" else task for task in tasks(8)
    ]
    run_stage(stage(tmp_path), changed)
    assert attempts(tmp_path) == ["clip002", "clip005"]


def test_a_grown_plan_keeps_what_is_done_and_ends_as_if_made_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    run_stage(stage(tmp_path / "a"), [task for task in tasks(11) if task.clip_id != "clip000"])
    attempts(tmp_path / "a")
    run_stage(stage(tmp_path / "a"), tasks(11))
    assert attempts(tmp_path / "a") == ["clip000"]
    run_stage(stage(tmp_path / "b"), tasks(11))
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_a_clip_that_fails_or_goes_leaves_no_file_behind(tmp_path: Path) -> None:
    run_stage(stage(tmp_path), tasks(10))
    run_stage(
        stage(tmp_path), [task for task in tasks(10, broken={3}) if task.clip_id != "clip007"], retry="all"
    )
    names = {path.stem for path in (tmp_path / "media").iterdir()}
    assert names == {f"clip{number:03d}" for number in range(10)} - {"clip003", "clip007"}


def test_another_configuration_is_refused_until_all_is_made_anew(tmp_path: Path) -> None:
    run_stage(stage(tmp_path, sigma=1), tasks(4))
    with pytest.raises(AvfakeError, match=r"sigma=1 \(now 2\).*--retry all"):
        run_stage(stage(tmp_path, sigma=2), tasks(4))
    attempts(tmp_path)
    run_stage(stage(tmp_path, sigma=2), tasks(4), retry="all")
    assert len(attempts(tmp_path)) == 4
    assert run_stage(stage(tmp_path, sigma=2), tasks(4)).n_done_before == 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_stops_the_stage_and_keeps_finished_shards(tmp_path: Path, jobs: int) -> None:
    with pytest.raises(StorageError, match="No space left"):
        run_stage(stage(tmp_path), tasks(20, full={18}), jobs=jobs)
    attempts(tmp_path)
    report = run_stage(stage(tmp_path), tasks(20))
    assert report.n_ok == 20
    assert report.n_done_before + len(attempts(tmp_path)) == 20


def test_a_killed_worker_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="worker process died.*fewer --jobs"):
        run_stage(stage(tmp_path), tasks(12, killed={5}), jobs=2)
    assert run_stage(stage(tmp_path), tasks(12)).n_ok == 12


def killed_run(root: Path, victim: int) -> None:
    run_stage(stage(root), tasks(20, killed={victim}))


@pytest.mark.parametrize("victim", [0, 6, 19])
def test_kill_9_costs_one_shard_at_most_and_no_byte(tmp_path: Path, victim: int) -> None:
    root, calm = tmp_path / "killed", tmp_path / "calm"
    root.mkdir()
    calm.mkdir()
    process = multiprocessing.get_context("spawn").Process(target=killed_run, args=(root, victim))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    n_attempted = len(attempts(root))
    run_stage(stage(root), tasks(20))
    assert n_attempted + len(attempts(root)) <= 20 + 4
    run_stage(stage(calm), tasks(20))
    assert bytes_of(root) == bytes_of(calm)


INTERRUPTED = """
import signal, sys
from pathlib import Path
from avfake.errors import AvfakeError
from tests.curate.test_stage import run_stage, stage, tasks
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run_stage(stage(Path(sys.argv[1])), tasks(80, slow=set(range(80))), jobs=2)
    except AvfakeError as error:
        print(error)
"""


def test_ctrl_c_is_one_clear_line_and_leaves_no_worker(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(INTERRUPTED)
    root = tmp_path / "root"
    root.mkdir()
    process = subprocess.Popen(
        [sys.executable, tmp_path / "program.py", root],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while not (root / "attempts").exists():
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output.strip() == "x: interrupted; finished shards are kept, the same command goes on from there"
    assert len(attempts(root)) < 80
    with pytest.raises(ProcessLookupError):
        for _ in range(100):  # what winds up is given ten seconds
            os.killpg(process.pid, 0)
            time.sleep(0.1)


def test_scopes_that_begin_alike_are_apart(tmp_path: Path) -> None:
    for scope in ("dfdc", "dfdc-2"):
        fields = [pa.field("media_path", pa.string()), pa.field("length", pa.int32())]
        one = Stage(tmp_path / "s.parquet", scope, fields, {"of": scope}, OneByOne(Write(tmp_path)), tmp_path)
        assert run_stage(one, tasks(3)).n_ok == 3
    assert len(read_ledger(tmp_path / "s.parquet", "dfdc")) == 3


def test_the_ledger_opens_as_one_table(tmp_path: Path) -> None:
    run_stage(stage(tmp_path), tasks(10, broken={3}))
    table = pq.read_table(tmp_path / "s.parquet")
    assert table.num_rows == 10
    assert table["length"].to_pylist()[3] is None


def test_duplicate_clips_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="corpus/clip000 occurs twice"):
        run_stage(stage(tmp_path), [*tasks(1), *tasks(1)])


def test_two_commands_do_not_write_at_once(workspace: Workspace) -> None:
    with (
        workspace.lock(),
        pytest.raises(AvfakeError, match="another avfake command is writing"),
        Workspace(workspace.root).lock(),
    ):
        pass


@pytest.mark.slow
def test_ray_changes_no_byte(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    for executor in ("local", "ray"):
        (tmp_path / executor).mkdir()
        run_stage(stage(tmp_path / executor), tasks(10, broken={3}), executor=executor, jobs=2)
    assert bytes_of(tmp_path / "local") == bytes_of(tmp_path / "ray")
    with pytest.raises(StorageError, match="No space left"):
        run_stage(stage(tmp_path / "ray", again=1), tasks(4, full={2}), executor="ray", retry="all")
