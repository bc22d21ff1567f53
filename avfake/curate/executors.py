"""Where shards run: in this process, in local worker processes, or on a Ray cluster."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from threadpoolctl import threadpool_limits

from avfake.errors import AvfakeError, need

Shard = TypeVar("Shard")
Result = TypeVar("Result")


def run_local(function: Callable[[Shard], Result], shards: Sequence[Shard], *, jobs: int) -> Iterator[Result]:
    """Run shards in ``jobs`` processes (in this one when 1); results come as they finish.

    Each process computes on one thread, so that the number of jobs never changes a result.

    Raises:
        AvfakeError: A worker process died.
    """
    if jobs == 1 or len(shards) <= 1:
        with _one_thread():
            yield from map(function, shards)
        return
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        max_workers=min(jobs, len(shards)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
    )
    try:
        with _one_thread_in_children():
            futures = [pool.submit(function, shard) for shard in shards]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise AvfakeError(_DEAD_WORKER) from error
    except KeyboardInterrupt:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()  # in the middle of a shard: every file is whole or absent
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def run_ray(function: Callable[[Shard], Result], shards: Sequence[Shard], *, jobs: int) -> Iterator[Result]:
    """Run shards on the Ray cluster that ``$RAY_ADDRESS`` names, else on a local one of ``jobs`` processes.

    The workspace must lie on storage that every node sees under the same path.

    Raises:
        AvfakeError: Ray is not installed, or a worker process died.
    """
    ray = need("ray", extra="ray")
    address = os.environ.get("RAY_ADDRESS")
    cpus = {} if address else {"num_cpus": jobs}
    ray.init(address=address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True, **cpus)
    work = ray.remote(lambda shard: function(shard)).options(runtime_env={"env_vars": _ONE_THREAD})
    waiting = [work.remote(shard) for shard in shards]
    try:
        while waiting:
            (done, *_), waiting = ray.wait(waiting)
            yield ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.WorkerCrashedError as error:
        raise AvfakeError(_DEAD_WORKER) from error
    finally:
        ray.shutdown()


def n_cores() -> int:
    """CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


EXECUTORS = {"local": run_local, "ray": run_ray}

_DEAD_WORKER = (
    "a worker process died, perhaps for lack of memory; finished shards are kept: "
    "run the same command again, with fewer --jobs"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@contextmanager
def _one_thread() -> Iterator[None]:
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    with threadpool_limits(1):
        try:
            if torch:
                torch.set_num_threads(1)
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


@contextmanager
def _one_thread_in_children() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and die with it, so that a killed command leaves no writer behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
