"""The sound of FaceForensics++, from YouTube or a folder of uploads: fetched, looked at, aligned, cut."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from avfake.curate.recovery.clips import Clip, by_upload, list_clips
from avfake.curate.recovery.config import RecoveryConfig
from avfake.curate.recovery.crawl import crawl
from avfake.curate.recovery.crawl_plan import CrawlPlan, plan_crawl
from avfake.curate.recovery.cut import CutSound
from avfake.curate.recovery.frame_lists import find_frame_lists, read_frame_list
from avfake.curate.recovery.material import Material, from_crawl, from_folder
from avfake.curate.recovery.report import Recovery, tell_recovery
from avfake.curate.recovery.tracks import Span, track_stage, track_tasks
from avfake.curate.sound_files import AUDIO_FIELDS, FORM
from avfake.curate.stage import Retry, Stage, StageReport, read_ledger, run_stage
from avfake.curate.task import OneByOne, Task
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError, ClipError, ErrorKind

_NEVER_ON_YOUTUBE = "it is of Deep Fake Detection, whose actors were not taken from YouTube"


class Recovered(NamedTuple):
    """What came of a corpus.

    Attributes:
        stage: Of its clips.
        recovery: Of its uploads.
    """

    stage: StageReport
    recovery: Recovery


def recover(
    workspace: Workspace,
    corpus: str,
    corpus_root: Path,
    config: RecoveryConfig,
    *,
    jobs: int,
    executor: str,
    retry: Retry,
) -> Recovered:
    """Give every clip of an indexed FaceForensics++ its sound, and say what could not be had.

    Args:
        workspace: Where index, uploads and sound lie.
        corpus: Name of the corpus.
        corpus_root: Of its videos.
        config: How sound is fetched and aligned.
        jobs: Worker processes; fetching itself is one at a time.
        executor: ``local`` or ``ray``.
        retry: Which uploads and clips are tried again.

    Raises:
        AvfakeError: The configuration does not fit FaceForensics++, or a folder holds no uploads.
    """
    lists = _frame_lists(config, corpus_root)
    clips = list_clips(workspace, corpus, corpus_root, config.reenactment_audio, lists)
    groups = by_upload(clips)
    settled = _settled(workspace, corpus, clips, retry)
    material = _gather(workspace, corpus, _waits(groups, settled), config, retry)
    looked_at = ((item, _spans(groups[item.youtube_id], lists)) for item in material)
    tasks = track_tasks(workspace, corpus, looked_at)
    run_stage(track_stage(workspace, corpus), tasks, jobs=jobs, executor=executor, retry=retry)
    stage = Stage(
        ledger=workspace.ledger("audio"),
        scope=corpus,
        fields=AUDIO_FIELDS,
        config={**FORM, "align": config.align, "reenactment_audio": config.reenactment_audio},
        work=OneByOne(CutSound(workspace.root, corpus_root, lists, config.align)),
        root=workspace.root,
        media_column="audio_path",
    )
    tasks = _cut_tasks(workspace, corpus, clips, settled, material)
    report = run_stage(stage, tasks, jobs=jobs, executor=executor, retry=retry)
    return Recovered(report, tell_recovery(workspace, corpus, clips))


def plan_recovery(
    workspace: Workspace, corpus: str, corpus_root: Path, config: RecoveryConfig, retry: Retry
) -> CrawlPlan:
    """Say what :func:`recover` would fetch with these arguments.

    Raises:
        AvfakeError: The configuration does not fit FaceForensics++, or nothing would be fetched at all.
    """
    if config.audio_from_dir is not None:
        raise AvfakeError(
            "--audio-from-dir fetches nothing, so there is nothing to plan; leave out --dry-run"
        )
    lists = _frame_lists(config, corpus_root)
    clips = list_clips(workspace, corpus, corpus_root, config.reenactment_audio, lists)
    waits = _waits(by_upload(clips), _settled(workspace, corpus, clips, retry))
    return plan_crawl(workspace, corpus, waits, config.crawl, retry)


def _settled(
    workspace: Workspace, corpus: str, clips: Iterable[Clip], retry: Retry
) -> dict[str, Mapping[str, Any]]:
    """Rows of the clips that have their sound, by clip id: wherever it came from, it stays."""
    if retry == "all":
        return {}
    rows = {row["clip_id"]: row for row in read_ledger(workspace.ledger("audio"), corpus)}
    known = ((clip, rows[clip.row["clip_id"]]) for clip in clips if clip.row["clip_id"] in rows)
    return {row["clip_id"]: row for clip, row in known if _done(workspace, clip, row)}


def _waits(groups: Mapping[str, Sequence[Clip]], settled: Mapping[str, object]) -> dict[str, bool]:
    """For every upload, whether a clip waits for it."""
    return {
        youtube_id: any(clip.row["clip_id"] not in settled for clip in group)
        for youtube_id, group in groups.items()
    }


def _done(workspace: Workspace, clip: Clip, row: Mapping[str, Any]) -> bool:
    """Whether the clip has its sound, made from what lies on disk now."""
    if row["status"] != "ok":
        return False
    same = bool(row["inputs"].rpartition("/")[0] == clip.state)
    return same and (workspace.root / row["audio_path"]).exists()


def _frame_lists(config: RecoveryConfig, corpus_root: Path) -> Path | None:
    if config.align == "none":
        raise AvfakeError(
            "--align none would give each clip of FaceForensics++ the whole track of its upload: lips and "
            "sound would not belong together; use auto, frames or visual"
        )
    lists = config.frame_lists or find_frame_lists(corpus_root)
    if config.align == "frames" and lists is None:
        raise AvfakeError(
            f"--align frames needs the frame lists, and {corpus_root} has no downloaded_videos_info; "
            "give their folder with --frame-lists, or use --align visual"
        )
    return None if config.align == "visual" else lists


def _gather(
    workspace: Workspace, corpus: str, waits: Mapping[str, bool], config: RecoveryConfig, retry: Retry
) -> list[Material]:
    """What is at hand of the uploads that clips wait for."""
    waited_for = [youtube_id for youtube_id, wait in waits.items() if wait]
    if config.audio_from_dir is not None:
        return from_folder(config.audio_from_dir.resolve(), waited_for)
    crawl(workspace, corpus, waits, config.crawl, retry)
    rows = {row["clip_id"]: row for row in read_ledger(workspace.ledger("uploads"), corpus)}
    return from_crawl(workspace.root, rows, waited_for)


def _spans(clips: Iterable[Clip], lists: Path | None) -> list[Span] | None:
    """Frames of an upload that its clips' lists name; None, that is all, when one of them has no list."""
    sequences = {clip.donor.sequence for clip in clips if clip.donor is not None}
    spans = []
    for sequence in sorted(sequences, key=lambda sequence: sequence.youtube_sequence):
        if lists is None:
            return None
        try:
            listed = read_frame_list(lists, sequence.youtube_id, sequence.youtube_sequence)
        except ClipError:
            continue  # a broken list fails its clips, with the reason, when they are cut
        if listed is None:
            return None
        spans.append((int(listed[0]), int(listed[-1])))
    return spans or None


def _cut_tasks(
    workspace: Workspace,
    corpus: str,
    clips: Iterable[Clip],
    settled: Mapping[str, Mapping[str, Any]],
    material: Iterable[Material],
) -> Iterator[Task]:
    uploads = {item.youtube_id: item for item in material}
    tracks = {row["clip_id"]: row for row in read_ledger(workspace.ledger("tracks"), corpus)}
    for clip in clips:
        if row := settled.get(clip.row["clip_id"]):
            yield Task(corpus, row["clip_id"], row["inputs"], {})
            continue
        facts: dict[str, Any] = {"video_path": clip.row["video_path"], "failure": None}
        if clip.donor is None:
            facts["failure"] = ErrorKind.NO_AUDIO, _NEVER_ON_YOUTUBE
            yield Task(corpus, clip.row["clip_id"], f"{clip.state}/-", facts)
            continue
        upload = uploads[clip.donor.sequence.youtube_id]
        facts |= _upload_facts(upload, tracks.get(upload.youtube_id)) | {
            "youtube_id": upload.youtube_id,
            "youtube_sequence": clip.donor.sequence.youtube_sequence,
            "audio_clip_id": clip.donor.clip_id,
            "audio_from": clip.donor.audio_from,
            "seen_path": clip.seen_path,
            "original_path": clip.original_path,
        }
        if clip.seen_path is None:
            facts["failure"] = (
                ErrorKind.NOT_FOUND,
                f"the original video {clip.donor.sequence.sequence_id} of its source is not on disk, so its "
                "lips cannot be found in the upload",
            )
        yield Task(corpus, clip.row["clip_id"], f"{clip.state}/{upload.inputs}", facts)


def _upload_facts(upload: Material, track: Mapping[str, Any] | None) -> dict[str, Any]:
    if upload.files is None:
        return {"failure": (upload.error_kind, f"upload {upload.youtube_id}: {upload.error}")}
    sound, pictures = str(upload.files.sound), str(upload.files.pictures or upload.files.sound)
    facts = {"sound": sound, "pictures": pictures, "track_path": None}
    if track is not None and track["status"] == "ok":
        facts["track_path"] = track["track_path"]
    elif track is not None and track["error_kind"] != ErrorKind.NO_VIDEO:
        failure = track["error_kind"], f"pictures of upload {upload.youtube_id}: {track['error']}"
        return {**facts, "failure": failure}
    return facts
