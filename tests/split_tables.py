"""Index and ledgers as the stages write them, from a few lines that say what differs."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from avfake.curate.crops import FACES_FIELDS
from avfake.curate.sound_files import AUDIO_FIELDS
from avfake.curate.stage import KEY_FIELDS
from avfake.curate.vocode import VOCODED_FIELDS
from avfake.curate.workspace import Workspace
from avfake.manifest.candidates import Tables
from avfake.manifest.schema import INDEX_SCHEMA
from avfake.manifest.table import write_rows

AUDIO_SCHEMA = pa.schema([*KEY_FIELDS, *AUDIO_FIELDS])
FACES_SCHEMA = pa.schema([*KEY_FIELDS, *FACES_FIELDS])
SCREENED_SCHEMA = pa.schema([*KEY_FIELDS[:2], pa.field("sync_score", pa.float64())])
VOCODED_SCHEMA = pa.schema([*KEY_FIELDS, *VOCODED_FIELDS])
VOCODERS = ("griffin-lim", "world")
METHODS = ("Face2Face", "FaceSwap")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def people(
    n_groups: int = 20, *, methods: Iterable[str] = METHODS, corpus: str = "folk", **facts: Any
) -> list[dict[str, Any]]:
    """Per identity one real clip and one fake of each method; fakes carry their original's sound."""
    clips = []
    for number in range(n_groups):
        group = f"person{number:03d}"
        common = {"corpus": corpus, "identity_group": group, "sound": f"{corpus}/{group}", **facts}
        clips.append({"clip_id": f"{group}_real", **common})
        for method in methods:
            clips.append({"clip_id": f"{group}_{method}", "video_label": 1, "video_method": method, **common})
    return clips


def make_tables(
    workspace: Workspace,
    clips: Iterable[Mapping[str, Any]],
    *,
    vocoders: Iterable[str] = VOCODERS,
    reverse: bool = False,
) -> None:
    """Write the tables of a workspace; each clip says what differs from a usable real clip.

    Besides index columns a clip may have ``sound`` (clips of one sound share its hash), ``seconds``,
    ``fetched`` and ``vocoded_with`` (what succeeded), ``audio``, ``vocoded`` and ``faces`` (ledger columns;
    without the last, faces were never cropped), and ``sync`` (its score, if it was screened).
    """
    clips = list(clips)
    for corpus in sorted({clip["corpus"] for clip in clips}):
        here = [clip for clip in clips if clip["corpus"] == corpus]
        here.sort(key=lambda clip: clip["clip_id"], reverse=reverse)
        facts = {"kind": "folder", "root": str(workspace.root / "videos" / corpus)}
        write_rows(workspace.index(corpus), map(_index_row, here), INDEX_SCHEMA, facts)
        _write_parts(workspace, "audio", corpus, [_audio_row(clip) for clip in here], AUDIO_SCHEMA)
        cropped = [_faces_row(clip) for clip in here if "faces" in clip]
        _write_parts(workspace, "faces", f"{corpus}-real", cropped, FACES_SCHEMA)
        scores = [_key(clip) | {"sync_score": clip["sync"]} for clip in here if "sync" in clip]
        _write_parts(workspace, "screened", corpus, scores, SCREENED_SCHEMA)
        for name in vocoders:
            rows = [_vocoded_row(clip, name) for clip in here if _audio_row(clip)["status"] == "ok"]
            _write_parts(workspace, "vocoded", f"{name}-{corpus}", rows, VOCODED_SCHEMA)


def _write_parts(
    workspace: Workspace, stage: str, scope: str, rows: list[dict[str, Any]], schema: pa.Schema
) -> None:
    for number in range(0, len(rows), 16):
        name = f"part-{scope}-{number // 16:05d}-{sha(scope)[:8]}.parquet"
        write_rows(workspace.ledger(stage) / name, rows[number : number + 16], schema, {"config": {}})


def _index_row(clip: Mapping[str, Any]) -> dict[str, Any]:
    row = {
        "video_path": f"{clip['clip_id']}.mp4",
        "video_label": 0,
        "audio_label": 0,
        "status": "ok",
        "duration_s": clip.get("seconds", 4.0),
        "video_fps": 25.0,
        "has_audio": True,
        **clip,
    }
    return {name: row.get(name) for name in INDEX_SCHEMA.names}


def _key(clip: Mapping[str, Any]) -> dict[str, Any]:
    return {"corpus": clip["corpus"], "clip_id": clip["clip_id"], "inputs": "0"}


def _audio_row(clip: Mapping[str, Any]) -> dict[str, Any]:
    key = _key(clip)
    if not clip.get("fetched", True):
        return {**key, "status": "failed", "error_kind": "corrupt", "error": "broken"}
    return {
        **key,
        "status": "ok",
        "audio_path": f"audio/{clip['corpus']}/{clip['clip_id']}.flac",
        "audio_sha256": sha(clip.get("sound", clip["clip_id"])),
        "audio_clip_id": clip["clip_id"],
        "audio_from": "own",
        "sample_rate": 22_050,
        "n_samples": round(clip.get("seconds", 4.0) * 22_050),
        "bandwidth_hz": 10_000.0,
        **clip.get("audio", {}),
    }


def _vocoded_row(clip: Mapping[str, Any], vocoder: str) -> dict[str, Any]:
    audio, key = _audio_row(clip), _key(clip)
    if vocoder not in clip.get("vocoded_with", (vocoder,)):
        return {**key, "status": "failed", "error_kind": "not_finite", "error": "NaN"}
    return {
        **key,
        "status": "ok",
        "vocoder": vocoder,
        "audio_path": f"vocoded/{vocoder}/{clip['corpus']}/{clip['clip_id']}.flac",
        "audio_sha256": sha(f"{vocoder}/{clip['corpus']}/{clip['clip_id']}"),
        "source_sha256": audio["audio_sha256"],
        "sample_rate": audio["sample_rate"],
        "n_samples": audio["n_samples"],
        "blur_time_sigma": 0.5,
        "blur_mel_sigma": 0.0,
        "lag_ms": 0.0,
        "lsd_db": 2.0,
        "bandwidth_hz": 8_000.0 if vocoder == "griffin-lim" else 10_000.0,
        **clip.get("vocoded", {}),
    }


def _faces_row(clip: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_key(clip),
        "status": "ok",
        "faces_path": f"faces/{clip['corpus']}/{clip['clip_id']}.avi",
        "faces_sha256": sha(f"faces/{clip['clip_id']}"),
        "n_frames": 40,
        **clip["faces"],
    }


def tables_of(workspace: Workspace) -> Tables:
    """The files build-split reads."""
    return Tables(
        index=[workspace.index(corpus) for corpus in workspace.corpora()],
        audio=sorted(workspace.ledger("audio").glob("part-*.parquet")),
        vocoded=sorted(workspace.ledger("vocoded").glob("part-*.parquet")),
    )
