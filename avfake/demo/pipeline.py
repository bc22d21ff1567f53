"""``avfake demo``: synthetic clips through every stage, to an audited four-quadrant data set."""

from dataclasses import dataclass
from pathlib import Path

from avfake.curate.audit import audit
from avfake.curate.build_split import SplitReport, build_split
from avfake.curate.faces import FacesReport, faces
from avfake.curate.fetch_audio import FetchReport, fetch_audio
from avfake.curate.index import index
from avfake.curate.index_report import IndexReport
from avfake.curate.shortcuts.report import AuditReport
from avfake.curate.vocode import VocodeReport, vocode
from avfake.curate.workspace import Workspace
from avfake.demo.clips import LABELS, ClipsReport, make_clips, plan_clips
from avfake.demo.sheet import contact_sheet
from avfake.reporting.figures import four_quadrants

NAME = "demo"  # of the corpus and of the split
VOCODERS = ("griffin-lim", "melgan.embedded", "world")
PICTURE = "four-quadrants.png"


@dataclass(frozen=True)
class DemoReport:
    """What each stage of the demo reported, and where the results lie.

    Attributes:
        clips: Of the synthetic clips.
        index: Of their index.
        fetch_audio: Of their sound.
        faces: Of their face crops.
        vocode: Of their resyntheses.
        build_split: Of the split.
        audit: Of its audit.
        face_folder: Where the crops lie.
        split_folder: Where the split's tables lie.
        picture: A row of each quadrant, as a picture.
        people: Everybody, real and fake, as a picture.
    """

    clips: ClipsReport
    index: IndexReport
    fetch_audio: FetchReport
    faces: FacesReport
    vocode: VocodeReport
    build_split: SplitReport
    audit: AuditReport
    face_folder: str
    split_folder: str
    picture: str
    people: str

    @property
    def n_failed(self) -> int:
        """Clips that failed in any stage."""
        return sum(stage.n_failed for stage in (self.index, self.fetch_audio, self.faces, self.vocode))

    def __str__(self) -> str:
        """Every stage's report, what to look at, and how to open the result."""
        stages = (
            self.clips,
            self.index,
            self.fetch_audio,
            self.faces,
            self.vocode,
            self.build_split,
            self.audit,
        )
        train = f"{self.split_folder}/train.parquet"
        return "\n".join(
            [
                *map(str, stages),
                "",
                "Look at",
                f"  {self.picture}  (a row of each quadrant)",
                f"  {self.people}  (everybody, real and fake)",
                f"  {self.clips.folder}  (the clips)",
                f"  {self.face_folder}  (the crops, and a contact sheet of each)",
                f"  {self.split_folder}  (the data set: tables, report.json, audit.json)",
                "and open it:",
                "  import pyarrow.parquet as pq",
                f'  train = pq.read_table("{train}")',
                '  print(train.group_by(["quadrant", "vocoder"]).aggregate([([], "count_all")]))',
            ]
        )


def run_demo(
    folder: Path, *, n_identities: int = 12, clips_per_identity: int = 2, seed: int = 0, jobs: int = 1
) -> DemoReport:
    """Make clips and take them through the whole pipeline; a second run redoes nothing.

    Args:
        folder: Gets ``clips/``, a workspace ``data/`` and ``people.png``.
        n_identities: People, even, at least 6: each split needs a pair of its own.
        clips_per_identity: Real clips of each.
        seed: Of everything random.
        jobs: Worker processes.

    Raises:
        AvfakeError: The folder holds another demo, or the clips are too few for three balanced splits.
        StorageError: The disk is full or the folder cannot be written.
    """
    workspace = Workspace(folder / "data")
    root, people = folder / "clips", folder / "people.png"
    size = {"n_identities": n_identities, "clips_per_identity": clips_per_identity}
    clips = make_clips(root, **size, seed=seed, jobs=jobs)
    contact_sheet(root, plan_clips(**size), people)
    indexed = index(workspace, "folder", root, name=NAME, labels=root / LABELS, jobs=jobs)
    fetched = fetch_audio(workspace, corpora=[NAME], jobs=jobs)
    cropped = faces(workspace, corpora=[NAME], preview=True, jobs=jobs)
    vocoded = vocode(workspace, vocoders=VOCODERS, corpora=[NAME], seed=seed, jobs=jobs)
    split = build_split(workspace, name=NAME, corpora=[NAME], vocoders=VOCODERS, seed=seed, jobs=jobs)
    audited = audit(workspace, NAME, seed=seed, jobs=jobs)
    picture = workspace.split(NAME) / PICTURE
    four_quadrants(workspace.root, NAME, picture)
    return DemoReport(
        clips=clips,
        index=indexed,
        fetch_audio=fetched,
        faces=cropped,
        vocode=vocoded,
        build_split=split,
        audit=audited,
        face_folder=str(workspace.root / "faces" / NAME),
        split_folder=str(workspace.split(NAME)),
        picture=str(picture),
        people=str(people),
    )
