"""What a workspace has of what an experiment needs, and which command makes the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from avfake.curate.workspace import Workspace, safe_name
from avfake.errors import AvfakeError, one_line
from avfake.manifest.table import read_metadata
from avfake.reproduction.experiments import FAMILIES, DataSet, Experiment, Pair
from avfake.vocoders.registry import full_name


@dataclass(frozen=True)
class Source:
    """A corpus in the place of a data set of the paper.

    Attributes:
        data: The paper's.
        corpus: Name in the workspace; the kind where there is none yet.
        stands_in: It is of another kind than the paper's.
        methods: Video methods that it shows.
        vocoders: By full name, those that its splits are to hold.
        missing: One line each: what is not there, and which command makes it.
        notes: What else differs from the paper, each a sentence.
    """

    data: DataSet
    corpus: str
    stands_in: bool = False
    methods: tuple[str, ...] = ()
    vocoders: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def stand_in(self, pairs: Sequence[Pair]) -> dict[Pair, Pair]:
        """What is left out for each of the paper's unseen pairs; other corpora give theirs in order."""
        if not self.stands_in:
            return {pair: Pair(pair.method, of_family(pair.vocoder, self.vocoders)) for pair in pairs}
        if min(len(self.methods), len(self.vocoders)) < 2:
            return {}  # nothing would be left to train on
        own = [Pair(*names) for names in zip(self.methods, self.vocoders, strict=False)]
        return dict(zip(pairs, own, strict=False))


def find_sources(workspace: Workspace, experiment: Experiment, corpora: Sequence[str]) -> list[Source]:
    """What stands for each data set of an experiment.

    Args:
        workspace: That is looked into; nothing is written.
        experiment: Which.
        corpora: Names that stand for the data sets in their order, which are left out when these are fewer;
            when empty, the corpora of the right kinds.

    Raises:
        AvfakeError: There are more names than data sets, or a table is broken.
    """
    data_sets = experiment.data_sets
    if len(corpora) > len(data_sets):
        titles = " and ".join(data.title for data in data_sets)
        raise AvfakeError(f"{len(corpora)} corpora are named, {experiment.name} is made on {titles} alone")
    if not corpora:
        return [_find(workspace, data, None) for data in data_sets]
    named = [_find(workspace, data, name) for data, name in zip(data_sets, corpora, strict=False)]
    if experiment.judged is not None and len(corpora) == 1:
        named.append(_find(workspace, experiment.judged, None, apart_from=corpora))
    return named


def of_family(family: str, vocoders: Sequence[str]) -> str:
    """The default vocoder of a family if it ran, else the first one; its default where none did."""
    default = full_name(family)
    ran = sorted(name for name in vocoders if name.partition(".")[0] == family)
    return default if default in ran or not ran else ran[0]


def _find(workspace: Workspace, data: DataSet, name: str | None, *, apart_from: Sequence[str] = ()) -> Source:
    kinds = {
        corpus: str(read_metadata(workspace.index(corpus)).get("kind"))
        for corpus in workspace.corpora()
        if corpus not in apart_from
    }
    if name is None:
        of_kind = [corpus for corpus, kind in kinds.items() if kind == data.kind]
        if len(of_kind) > 1:
            line = (
                f"{len(of_kind)} corpora are of kind {data.kind} ({', '.join(of_kind)}): choose with --corpus"
            )
            return Source(data, data.kind, missing=(line,))
        name = of_kind[0] if of_kind else data.kind
    stands_in = kinds.get(safe_name(name, "corpus"), data.kind) != data.kind
    if data.judged_only:
        return Source(data, name, stands_in, missing=tuple(_missing_sound(workspace, data, name)))
    return _look_into(workspace, data, name, stands_in=stands_in)


def _look_into(workspace: Workspace, data: DataSet, corpus: str, *, stands_in: bool) -> Source:
    """What there is of a corpus to train on; all of it is missing when it is not indexed."""
    methods = tuple(_index_values(workspace, corpus, "video_method"))
    ran = tuple(_done(workspace, "vocoded", corpus, "vocoder"))
    missing = _missing_sound(workspace, data, corpus)
    if not _done(workspace, "faces", corpus):
        missing.append(f"{corpus} has no face crops: run avfake faces {corpus}")
    if stands_in:
        note = f"{corpus} stands in for {data.title}: data differ, and so must numbers."
        if not ran:
            missing.append(f"{corpus} is not vocoded: run avfake vocode {corpus} --vocoder all")
        return Source(data, corpus, True, methods, ran, tuple(missing), (note,))
    vocoders = tuple(of_family(family, ran) for family in FAMILIES)
    missing += [
        f"{corpus} is not vocoded with {family}: run avfake vocode {corpus} --vocoder {name}"
        for family, name in zip(FAMILIES, vocoders, strict=True)
        if name not in ran
    ]
    notes = []
    if workspace.index(corpus).exists():
        missing += [
            f"{corpus} has no clips of {method}: add them, and run avfake index {data.kind} ROOT again"
            for method in data.methods
            if method not in methods
        ]
        if more := [name for name in methods if data.methods and name not in data.methods]:
            notes.append(f"{corpus} also shows {', '.join(more)}, which the paper's {data.title} does not.")
    return Source(data, corpus, False, methods, vocoders, tuple(missing), tuple(notes))


def _missing_sound(workspace: Workspace, data: DataSet, corpus: str) -> list[str]:
    """Whether it is indexed, its sound fetched, and that of clips to be judged alone labelled."""
    missing = []
    if not workspace.index(corpus).exists():
        missing.append(
            f"{data.title}: no corpus {corpus} is indexed: run avfake index {data.kind} ROOT --name {corpus}"
        )
    elif data.judged_only and 1 not in _index_values(workspace, corpus, "audio_label"):
        missing.append(
            f"{corpus} has no clip whose sound is labelled fake: run avfake index folder ROOT "
            f"--name {corpus} --audio-label fake, or --labels FILE"
        )
    if not _done(workspace, "audio", corpus):
        missing.append(f"{corpus} has no fetched sound: run avfake fetch-audio {corpus}")
    return missing


def _index_values(workspace: Workspace, corpus: str, column: str) -> list[Any]:
    """Values of a column of an index; none without an index."""
    if not (path := workspace.index(corpus)).exists():
        return []
    return sorted(value for value in set(_read(path, [column])[column].to_pylist()) if value is not None)


def _done(workspace: Workspace, stage: str, corpus: str, column: str = "clip_id") -> list[str]:
    """Values of a column that a stage's good rows of a corpus have."""
    found = set()
    for part in sorted(workspace.ledger(stage).glob("part-*.parquet")):
        table = _read(part, ["corpus", "status", column])
        good = pc.and_(pc.equal(table["corpus"], corpus), pc.equal(table["status"], "ok"))
        found |= set(table.filter(good)[column].unique().to_pylist())
    return sorted(found)


def _read(path: Path, columns: list[str]) -> pa.Table:
    try:
        return pq.ParquetFile(path).read(columns)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise AvfakeError(f"{path} cannot be read: {one_line(error)}") from error
