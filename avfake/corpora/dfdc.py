"""The Deepfake Detection Challenge: training parts with metadata.json, held-out folders with labels.csv."""

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from avfake.corpora.base import Finding, Labelling, Refused, Skipped, own_labels_only, slug
from avfake.errors import AvfakeError, ClipError, ErrorKind, one_line
from avfake.manifest.schema import Row

HELD_OUT = {"validation_videos": "val", "validation": "val", "test_videos": "test", "test": "test"}
METHOD = "DFDC"  # the metadata does not say which of its methods made a fake
_TRAINING = re.compile(r"dfdc_train_part_\d+|train_sample_videos")
_PLAIN = re.compile(r"[a-z0-9]+\.mp4")
_UNSAFE = re.compile(r"[/\\:\0\ud800-\udfff]")  # the last are halves of characters, which no file name holds
_LABELS = {"real": 0, "0": 0, "fake": 1, "1": 1}


def rows(root: Path, *, corpus: str, labelling: Labelling) -> Iterator[Finding]:
    """List what metadata.json and labels.csv name, present or not; see :class:`Corpus`."""
    own_labels_only(labelling, "DFDC")
    folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    training = [name for name in folders if _TRAINING.fullmatch(name)]
    held_out = [name for name in folders if name in HELD_OUT]
    if not training and not held_out:
        raise AvfakeError(
            f"{root} holds no folder dfdc_train_part_*, train_sample_videos, {', '.join(HELD_OUT)}; "
            "give the folder that holds the parts"
        )
    label_files = _label_files(root, held_out)
    official = any(HELD_OUT[name] == "test" for name in label_files)
    for part in training:
        yield from _training_part(root / part, corpus, "train" if official else None)
    for part in held_out:
        if part in label_files:
            split = HELD_OUT[part] if official else None
            yield from _held_out_part(root / part, label_files[part], corpus, split)
        else:
            yield Skipped(part, "no labels.csv in or beside it, so nothing says which videos are fake")


def _label_files(root: Path, held_out: list[str]) -> dict[str, Path]:
    """The labels.csv of each held-out folder that has one, inside it or beside it."""
    inside = {part: root / part / "labels.csv" for part in held_out if (root / part / "labels.csv").is_file()}
    others = [part for part in held_out if part not in inside]
    beside = root / "labels.csv"
    if not others or not beside.is_file():
        return inside
    if len(others) > 1:
        raise AvfakeError(
            f"{beside} could be for {' or '.join(others)}; put a labels.csv into each of these folders"
        )
    return {**inside, others[0]: beside}


def _training_part(folder: Path, corpus: str, split: str | None) -> Iterator[Finding]:
    """Rows of one folder with a metadata.json."""
    path = folder / "metadata.json"
    if not path.is_file():
        yield Skipped(folder.name, "no metadata.json in it, so nothing says which videos are fake")
        return
    entries: dict[str, dict[str, Any]] = {}
    contradicted = set()
    for name, entry in _read_json(path):
        if name in entries and entries[name] != entry:
            contradicted.add(name)
        elif name in entries:
            yield Skipped(f"{folder.name}/{name}", "named twice in metadata.json, both times alike")
        entries.setdefault(name, entry)
    part = folder.name
    for name, entry in entries.items():
        fake = bool(_label(entry.get("label"), path, name))
        original = entry.get("original")
        original = original if fake and isinstance(original, str) and original else None
        problem = None
        if name in contradicted:
            problem = f"metadata.json names {name!r} twice, with different entries"
        elif fake and original is None:
            problem = f"metadata.json names no original of the fake {name!r}, so its identity is unknown"
        yield _finding(part, name, fake, original, problem, corpus=corpus, split=split)
    yield from _unnamed(folder, entries, "metadata.json")


def _held_out_part(folder: Path, labels: Path, corpus: str, split: str | None) -> Iterator[Finding]:
    """Rows of one folder whose labels.csv has the columns filename and label; originals are not known."""
    named: dict[str, int] = {}
    for line, name, label in _read_csv(labels):
        if named.setdefault(name, label) != label:
            raise AvfakeError(f"{labels} line {line}: {name!r} is both real and fake; keep one of its lines")
    for name, label in named.items():
        yield _finding(folder.name, name, bool(label), None, None, corpus=corpus, split=split)
    yield from _unnamed(folder, named, labels.name)


def _finding(
    part: str,
    name: str,
    fake: bool,
    original: str | None,
    problem: str | None,
    *,
    corpus: str,
    split: str | None,
) -> Row | Refused:
    """A row, refused when its metadata has a problem or its name is more than that of a file."""
    safe = name not in ("", ".", "..") and not _UNSAFE.search(name)
    clip_id = _clip_id(name)
    original_id = None if original is None else _clip_id(original)
    row = Row(
        corpus=corpus,
        clip_id=clip_id,
        video_path=f"{part}/{name if safe else clip_id}",
        video_label=int(fake),
        audio_label=None if fake else 0,  # a fake's sound may be altered too, and no label says so
        identity_group=original_id or clip_id,
        video_method=METHOD if fake else None,
        target=original_id or clip_id,
        official_split=split,
        part=part,
        original=original_id,
    )
    if not safe:
        reason = f"{name!r} must be the name of a file in {part}, without a folder"
        return Refused(row, ClipError(ErrorKind.UNSAFE_PATH, reason))
    if problem:
        return Refused(row, ClipError(ErrorKind.BAD_METADATA, problem))
    return row


def _clip_id(name: str) -> str:
    """``aagfhgtpmv`` for ``aagfhgtpmv.mp4``; for names DFDC would not use, something safe."""
    return name[:-4] if _PLAIN.fullmatch(name) else slug(name)


def _unnamed(folder: Path, named: dict[str, Any], where: str) -> Iterator[Skipped]:
    with os.scandir(folder) as found:
        names = sorted(entry.name for entry in found)
    for name in names:
        if name.endswith(".mp4") and name not in named and not name.startswith("."):
            yield Skipped(f"{folder.name}/{name}", f"not named in {where}")


def _label(value: object, path: Path, name: str) -> int:
    label = _LABELS.get(str(value).strip().lower())
    if label is None:
        raise AvfakeError(f"{path} gives {name!r} the label {value!r}, not REAL or FAKE; mend the file")
    return label


def _read_json(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Entries of a metadata.json in order, repeated names included."""
    try:
        # Objects become tuples of pairs: a dict would silently keep the last of two equal names.
        entries = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=tuple)
    except (OSError, ValueError, RecursionError) as error:
        raise AvfakeError(f"{path} cannot be read: {one_line(error)}; fetch it again") from error
    if not isinstance(entries, tuple):
        raise AvfakeError(f"{path} must be a JSON object from file names to entries; fetch it again")
    for name, entry in entries:
        if not isinstance(entry, tuple):
            raise AvfakeError(f"{path}: entry {name!r} must be an object with label and original")
        yield name, dict(entry)


def _read_csv(path: Path) -> Iterator[tuple[int, str, int]]:
    """Line number, file name and label of each line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"filename", "label"} <= set(reader.fieldnames or []):
                raise AvfakeError(f"{path} must have the columns filename and label, got {reader.fieldnames}")
            for line in reader:
                name = line["filename"] or ""
                yield reader.line_num, name, _label(line["label"], path, name)
    except (OSError, ValueError, csv.Error) as error:
        raise AvfakeError(f"{path} cannot be read: {one_line(error)}") from error
