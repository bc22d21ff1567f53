"""The crawl of all 977 uploads from a server on this machine, without rests: speed, memory, cost of kills.

Run from the root of the checkout: python -m tests.benchmarks.bench_crawl [uploads] [kills]
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from avfake.curate.workspace import Workspace
from avfake.manifest.splits import ffpp_sequences
from tests.dash import make_streams
from tests.loopback import Loopback

CRAWL = """
import json, resource, sys, time
from pathlib import Path
from avfake.curate.recovery.crawl import crawl
from avfake.curate.recovery.download import CrawlConfig
from avfake.curate.workspace import Workspace

root, template = sys.argv[1:]
started = time.perf_counter()
ids = dict.fromkeys(sys.stdin.read().split(), True)
report = crawl(Workspace(Path(root)), "ffpp", ids, CrawlConfig(url_template=template, sleep_s=0))
print(json.dumps({
    "seconds": time.perf_counter() - started,
    "cpu_s": time.process_time(),
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "n_ok": report.n_ok,
}))
"""


def main(n_uploads: int, n_kills: int) -> None:
    ids = sorted({sequence.youtube_id for sequence in ffpp_sequences().values()})[:n_uploads]
    with tempfile.TemporaryDirectory() as folder, Loopback() as server:
        streams = make_streams(Path(folder) / "streams")
        for youtube_id in ids:
            server.serve(youtube_id, *streams)
        calm, killed = (Workspace(Path(folder) / name) for name in ("calm", "killed"))
        few = crawl(Workspace(Path(folder) / "few"), server, ids[: n_uploads // 10])
        print(f"{n_uploads // 10} uploads: peak {few['peak_mib']:.0f} MiB")
        server.requests.clear()
        measure("first run", crawl(calm, server, ids), server, n_uploads)
        measure("second run", crawl(calm, server, ids), server, n_uploads)
        crawl_with_kills(killed, server, ids, n_kills)
        measure(f"after {n_kills} kills", crawl(killed, server, ids), server, n_uploads)
        print(f"the same bytes as without: {contents(calm) == contents(killed)}")
        count_doubles(server, ids, calm, [streams[1].stat().st_size, streams[3].stat().st_size])


def measure(title: str, found: dict[str, float], server: Loopback, n_uploads: int) -> None:
    rate, peak_mib = n_uploads / found["seconds"], found["peak_mib"]
    print(
        f"{title}: {found['n_ok']} of {n_uploads} ok in {found['seconds']:.1f} s ({rate:.1f} per second, "
        f"{found['cpu_s']:.1f} s of CPU), peak {peak_mib:.0f} MiB; {len(server.requests)} requests so far"
    )


def crawl(workspace: Workspace, server: Loopback, ids: Sequence[str]) -> dict[str, float]:
    """Crawl in a process of its own, so that time and peak memory are its own."""
    process = start(workspace, server, ids)
    found: dict[str, float] = json.loads(process.communicate()[0])
    return found


def start(workspace: Workspace, server: Loopback, ids: Sequence[str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CRAWL, str(workspace.root), server.url_template]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write("\n".join(ids))
    process.stdin.close()
    process.stdin = None
    return process


def crawl_with_kills(workspace: Workspace, server: Loopback, ids: Sequence[str], n_kills: int) -> None:
    """Kill a crawl again and again, each time after some more requests; the counting begins here."""
    server.requests.clear()
    draws = random.Random(0)
    for moment in sorted(draws.randrange(3 * len(ids)) for _ in range(n_kills)):
        process = start(workspace, server, ids)
        while len(server.requests) < moment and process.poll() is None:
            time.sleep(0.001)
        time.sleep(draws.random() * 0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()


def contents(workspace: Workspace) -> dict[str, bytes]:
    files = [path for path in workspace.root.rglob("*") if path.is_file()]
    return {str(path.relative_to(workspace.root)): path.read_bytes() for path in files}


def count_doubles(server: Loopback, ids: Sequence[str], workspace: Workspace, sizes: Sequence[int]) -> None:
    whole = Counter(
        (request.youtube_id, request.part)
        for request in server.requests
        for part, size in zip(("sound", "pictures"), sizes, strict=True)
        if request.part == part and request.n_bytes == size
    )
    sent = sum(request.n_bytes for request in server.requests if request.part != "page")
    parts = list(workspace.ledger("uploads").iterdir())
    size_mb = sum(part.stat().st_size for part in parts) / 1e6
    print(f"bodies sent twice in full: {sum(count > 1 for count in whole.values())}")
    print(f"media sent: {sent / sum(sizes) / len(ids):.4f} of what there is")
    print(f"ledger: {len(parts)} parts, {size_mb:.1f} MB")


if __name__ == "__main__":
    main(*(int(number) for number in [*sys.argv[1:], *("977", "10")[len(sys.argv) - 1 :]]))
