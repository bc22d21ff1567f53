"""Anyone's talking clips: every media file under a folder, labelled as a whole or by a CSV file."""

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn, TypeVar

from avfake.corpora.base import Finding, Labelling, Skipped, slug
from avfake.errors import AvfakeError, ClipError, one_line
from avfake.files import inside
from avfake.manifest.schema import Row

SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"),
    *(".vob", ".ts", ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".ogv"),
)
LABEL_COLUMNS = ("path", "video_label", "audio_label", "method", "identity", "source_identity")
Label = TypeVar("Label", int, int | None)
_VIDEO_LABELS = {"real": 0, "0": 0, "fake": 1, "1": 1}
_AUDIO_LABELS: dict[str, int | None] = {**_VIDEO_LABELS, "unknown": None}


@dataclass(frozen=True)
class _Labels:
    """What is said of one clip."""

    video_label: int
    audio_label: int | None
    method: str | None
    identity: str | None = None
    source_identity: str | None = None


def rows(root: Path, *, corpus: str, labelling: Labelling) -> Iterator[Finding]:
    """List a folder's clips and label them; see :class:`Corpus`."""
    default = _default(labelling)
    named = {} if labelling.labels is None else _read_labels(labelling.labels, root, default)
    regex = _regex(labelling.identity_regex)
    found = set()
    for path in _media_files(root):
        found.add(path)
        if path.endswith("/"):
            yield Skipped(path, "a link to a folder, which is not followed")
        elif labelling.labels is not None and path not in named:
            yield Skipped(path, f"not named in {labelling.labels.name}")
        else:
            yield _row(path, named.get(path, default), corpus, regex)
    if not found and not named:
        raise AvfakeError(f"{root} holds no video; looked for {' '.join(SUFFIXES)}")
    for path, labels in named.items():
        if path not in found:  # absent, or without a usual suffix
            yield _row(path, labels, corpus, regex)


def _row(path: str, labels: _Labels, corpus: str, regex: re.Pattern[str] | None) -> Row:
    clip_id = slug(path)
    identity = labels.identity or _matched(regex, path)
    return Row(
        corpus=corpus,
        clip_id=clip_id,
        video_path=path,
        video_label=labels.video_label,
        audio_label=labels.audio_label,
        # A given identity stands without the corpus, so that a speaker's real and fake folders share it.
        identity_group=identity or f"{corpus}-{clip_id}",
        video_method=labels.method,
        target=identity,
        source=labels.source_identity,
        source_group=labels.source_identity,
    )


def _default(labelling: Labelling) -> _Labels:
    """Labels of clips the labels file says nothing of."""
    video_label = _label("--video-label", labelling.video_label, _VIDEO_LABELS)
    audio_label = _label("--audio-label", labelling.audio_label, _AUDIO_LABELS)
    if video_label and not labelling.method and labelling.labels is None:
        raise AvfakeError("fake videos need the name of their method; add --method, for example Wav2Lip")
    if labelling.method and not video_label and labelling.labels is None:
        raise AvfakeError(f"--method {labelling.method} is for fake videos; add --video-label fake")
    return _Labels(video_label, audio_label, labelling.method)


def _regex(pattern: str | None) -> re.Pattern[str] | None:
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise AvfakeError(f"--identity-regex {pattern!r} is no regular expression: {error}") from error


def _matched(regex: re.Pattern[str] | None, path: str) -> str | None:
    """Identity in a path, None without a pattern."""
    if regex is None:
        return None
    match = regex.search(path)
    identity = match[min(1, regex.groups)] if match else None
    if not identity:
        raise AvfakeError(f"--identity-regex {regex.pattern!r} finds no identity in {path!r}")
    return identity


def _media_files(root: Path) -> Iterator[str]:
    """Paths of media files relative to ``root``, sorted folder by folder; linked folders end in a slash."""

    def refuse(error: OSError) -> NoReturn:
        raise AvfakeError(f"{error.filename} cannot be listed: {error.strerror}") from error

    for folder, folders, files in os.walk(root, onerror=refuse):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if (here / name).is_symlink():
                yield (here / name).relative_to(root).as_posix() + "/"
        for name in sorted(files):
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield (here / name).relative_to(root).as_posix()


def _read_labels(path: Path, root: Path, default: _Labels) -> dict[str, _Labels]:
    """Labels of each clip named in a CSV file."""
    named: dict[str, _Labels] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(path, reader.fieldnames or [])
            for line in reader:
                try:
                    clip = _clip_path(root, line)
                    if clip in named:
                        raise AvfakeError(f"{clip!r} is named a second time")
                    named[clip] = _line_labels(line, default)
                except AvfakeError as error:
                    raise AvfakeError(f"{path} line {reader.line_num}: {error}") from error
    except (OSError, ValueError, csv.Error) as error:
        raise AvfakeError(f"{path} cannot be read: {one_line(error)}") from error
    if not named:
        raise AvfakeError(f"{path} names no clip")
    return named


def _check_header(path: Path, columns: Sequence[str]) -> None:
    unknown = [name for name in columns if name not in LABEL_COLUMNS]
    if unknown or "path" not in columns or len(set(columns)) < len(columns):
        raise AvfakeError(
            f"{path} has the columns {', '.join(columns) or 'none'}; "
            f"path must be there, and besides it only {', '.join(LABEL_COLUMNS[1:])}"
        )


def _clip_path(root: Path, line: Mapping[str | None, str | None]) -> str:
    if None in line or None in line.values():
        raise AvfakeError("the number of cells differs from that of the columns")
    name = line["path"] or ""
    try:
        inside(root, name)
    except ClipError as error:
        raise AvfakeError(str(error)) from error
    return PurePosixPath(name).as_posix()


def _line_labels(line: Mapping[str | None, str | None], default: _Labels) -> _Labels:
    """Labels of one line; empty cells and missing columns take the defaults."""
    video_label, audio_label = default.video_label, default.audio_label
    if text := line.get("video_label"):
        video_label = _label("video_label", text, _VIDEO_LABELS)
    if text := line.get("audio_label"):
        audio_label = _label("audio_label", text, _AUDIO_LABELS)
    method, identity, source = (line.get(name) or None for name in ("method", "identity", "source_identity"))
    if not video_label and (method or source):
        raise AvfakeError("a real video has neither method nor source_identity")
    if video_label and not (method or default.method):
        raise AvfakeError("a fake video needs a method, here or with --method")
    return _Labels(
        video_label, audio_label, (method or default.method) if video_label else None, identity, source
    )


def _label(name: str, text: str, choices: Mapping[str, Label]) -> Label:
    if text.strip().lower() not in choices:
        raise AvfakeError(f"{name} {text!r} must be one of {', '.join(choices)}")
    return choices[text.strip().lower()]
