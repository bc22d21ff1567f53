"""Uploads the way YouTube keeps them, sound and pictures apart, and the manifest that lists their streams."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import av
import numpy as np
from numpy.typing import NDArray

from tests.dummies import speech_like, write_clip

_CODECS = {"aac": "mp4a.40.2", "opus": "opus", "h264": "avc1.42c00b", "vp9": "vp9", "mpeg4": "mp4v.20.9"}


class Probed(NamedTuple):
    """What a manifest says of a stream; ``bandwidth`` in bits per second."""

    kind: str
    codec: str
    container: str
    bandwidth: int
    duration_s: float
    lines: int
    fps: str


@lru_cache
def probe(file: Path) -> Probed:
    with av.open(str(file)) as container:
        stream = container.streams[0]
        kind = "video" if container.streams.video else "audio"
        duration_s = (container.duration or 0) / av.time_base
        name = "webm" if "webm" in container.format.name else "mp4"
        bandwidth = round(8 * file.stat().st_size / duration_s)
        codec = _CODECS.get(stream.codec_context.name, "")
        lines = container.streams.video[0].height if kind == "video" else 0
        fps = str(container.streams.video[0].average_rate) if kind == "video" else ""
        return Probed(kind, codec, name, bandwidth, duration_s, lines, fps)


def dash_manifest(streams: dict[str, Probed]) -> str:
    """Manifest of whole files, each at its own address."""
    length_s = max(stream.duration_s for stream in streams.values())
    sets = "".join(_adaptation_set(name, stream) for name, stream in streams.items())
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'mediaPresentationDuration="PT{length_s:.2f}S"><Period>{sets}</Period></MPD>'
    )


def _adaptation_set(name: str, stream: Probed) -> str:
    shape = f'height="{stream.lines}" frameRate="{stream.fps}"' if stream.kind == "video" else ""
    return (
        f'<AdaptationSet contentType="{stream.kind}" mimeType="{stream.kind}/{stream.container}">'
        f'<Representation id="{name.rpartition("/")[2]}" bandwidth="{stream.bandwidth}" '
        f'codecs="{stream.codec}" {shape}><BaseURL>{escape(name)}</BaseURL><SegmentBase/>'
        "</Representation></AdaptationSet>"
    )


def make_streams(
    folder: Path, sound: NDArray[np.float32] | None = None, *, duration_s: float = 6.0
) -> tuple[Path, ...]:
    """Files of an upload: sound in two qualities, pictures with 144 lines at 12 and 25 Hz and with 288."""
    sound = speech_like(duration_s, 48_000) if sound is None else sound
    both = {"duration_s": duration_s, "sample_rate": 48_000}
    muxed = write_clip(folder / "muxed.mp4", sound, size=144, **both)
    rich = write_clip(folder / "rich.mkv", sound, audio_codec="libopus", size=16, **both)
    slow = write_clip(folder / "slow.mp4", None, duration_s=duration_s, fps=12, size=144)
    large = write_clip(folder / "large.mp4", None, duration_s=duration_s, size=288)
    return (
        part_of(muxed, "audio", folder / "sound.m4a"),
        part_of(rich, "audio", folder / "sound.webm"),
        slow,
        part_of(muxed, "video", folder / "pictures.mp4"),
        large,
    )


def part_of(file: Path, kind: str, target: Path) -> Path:
    """Copy the sound or the pictures of a file, on the same clock."""
    with av.open(str(file)) as source, av.open(str(target), "w") as copy:
        stream = next(stream for stream in source.streams if stream.type == kind)
        copied = copy.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                copy.mux(packet)
    return target
