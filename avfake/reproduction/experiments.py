"""The experiments of the paper as data: on what, which detectors, and what the paper says they reach.

Numbers are percent, as printed; what the paper leaves open, and how it is read here, is in docs/reproduce.md.

Reference:
    Zhou and Lim, 2021, Joint Audio-Visual Deepfake Detection, ICCV.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from avfake.errors import AvfakeError
from avfake.evaluation.scores import Head

FAMILIES = ("griffin-lim", "melgan", "parallel-wavegan", "waveglow", "wavenet", "wavernn", "world")
METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
INDEPENDENT = "independent"
DETECTORS: Mapping[str, Mapping[str, Any]] = {  # name -> fields that differ from those of the preset
    INDEPENDENT: {"framework": "independent"},
    "late-fusion": {"framework": "late-fusion"},
    "two-plus-one": {"attention": "none"},
    "two-plus-one-inter+intra": {"attention": "inter+intra"},
    "two-plus-one-joint": {"attention": "joint"},
    "two-plus-one-inter": {"attention": "inter"},
    "two-plus-one-connect234": {"attention": "none", "connect": "234"},
    "two-plus-one-connect34": {"attention": "none", "connect": "34"},
    "two-plus-one-connect4": {"attention": "none", "connect": "4"},
}


class DataSet(NamedTuple):
    """What an experiment is made on.

    Attributes:
        kind: Of the corpus, as ``avfake index`` takes it.
        title: For the reader.
        methods: Video methods that the paper has of it; empty where it names none.
        judged_only: Nothing is trained on it, and no face is needed: its sound alone is judged.
    """

    kind: str
    title: str
    methods: tuple[str, ...] = ()
    judged_only: bool = False


class Measure(NamedTuple):
    """A column of a table."""

    head: Head
    metric: str  # key of METRICS

    @property
    def title(self) -> str:
        """Heading."""
        return f"{self.head} {'AUC' if self.metric == 'auc' else self.metric}"


class Pair(NamedTuple):
    """A video method and a vocoder family that only the test split shows."""

    method: str
    vocoder: str

    def __str__(self) -> str:
        return f"{self.method} + {self.vocoder}"


@dataclass(frozen=True)
class Row:
    """One trained detector of a table.

    Attributes:
        data: On which.
        detector: Key of ``DETECTORS``.
        published: The paper's numbers, one per measure of the experiment; None where it has none.
        frozen: Both streams are those of the independent detector, and stay so (Fix-indp-audvid).
        unseen: Kept for the test split.
    """

    data: DataSet
    detector: str
    published: tuple[float | None, ...]
    frozen: bool = False
    unseen: Pair | None = None

    @property
    def label(self) -> str:
        """Of the detector, also in the names of runs."""
        return f"{self.detector}-frozen" if self.frozen else self.detector


@dataclass(frozen=True)
class Experiment:
    """One table or figure of the paper.

    Attributes:
        name: Key of ``EXPERIMENTS``.
        title: For the reader.
        rows: Of the table, each to be trained.
        measures: Its columns.
        shuffle_audio: Each clip has the sound of another person, in every split.
        judged: Whose clips are judged instead of the test split.
        others: Of the paper's rows, those that are not trained here: numbers per unseen pair, as printed.
        notes: What to mind, each a sentence.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    measures: tuple[Measure, ...]
    shuffle_audio: bool = False
    judged: DataSet | None = None
    others: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def data_sets(self) -> tuple[DataSet, ...]:
        """In the order in which other corpora can stand in for them."""
        judged = () if self.judged is None else (self.judged,)
        return tuple(dict.fromkeys([*(row.data for row in self.rows), *judged]))


FFPP = DataSet("ffpp", "FaceForensics++", METHODS)
DFDC = DataSet("dfdc", "DFDC")
WILD = DataSet("folder", "clips from the wild", judged_only=True)
HEADS_AND_AUC = (
    Measure("video", "accuracy"),
    Measure("audio", "accuracy"),
    Measure("whole", "accuracy"),
    Measure("whole", "auc"),
)

_TABLE2 = (
    Row(FFPP, INDEPENDENT, (98.41, 93.06, 95.83, None)),
    Row(FFPP, "late-fusion", (99.21, 92.26, 94.25, 99.08)),
    Row(FFPP, "two-plus-one", (98.81, 96.23, 97.02, 99.41)),
    Row(FFPP, "two-plus-one-inter+intra", (99.21, 94.25, 97.22, 99.29)),
    Row(FFPP, "two-plus-one-joint", (99.21, 94.64, 96.23, 99.25)),
    Row(FFPP, "two-plus-one-inter", (98.81, 96.03, 97.62, 99.65)),
    Row(FFPP, "late-fusion", (None, None, 94.84, 98.44), frozen=True),
    Row(FFPP, "two-plus-one", (None, None, 96.23, 99.29), frozen=True),
    Row(FFPP, "two-plus-one-inter+intra", (None, None, 96.03, 98.74), frozen=True),
    Row(FFPP, "two-plus-one-joint", (None, None, 96.03, 99.18), frozen=True),
    Row(FFPP, "two-plus-one-inter", (None, None, 96.63, 99.32), frozen=True),
    Row(DFDC, INDEPENDENT, (79.90, 98.28, 89.36, None)),
    Row(DFDC, "late-fusion", (80.65, 98.07, 89.15, 93.70)),
    Row(DFDC, "two-plus-one", (82.18, 98.36, 91.01, 96.29)),
    Row(DFDC, "two-plus-one-inter", (82.39, 98.95, 90.84, 95.98)),
    Row(DFDC, "late-fusion", (None, None, 89.81, 95.12), frozen=True),
    Row(DFDC, "two-plus-one", (None, None, 90.33, 96.32), frozen=True),
    Row(DFDC, "two-plus-one-inter", (None, None, 90.40, 96.29), frozen=True),
)
_UNSEEN = {  # numbers of two-plus-one with attention, and of the independent detectors
    Pair("Deepfakes", "griffin-lim"): ((99.19, 77.85, 87.40, 94.36), (98.78, 67.07, 83.94, None)),
    Pair("FaceSwap", "wavernn"): ((77.24, 86.79, 85.16, 89.39), (55.69, 90.65, 73.37, None)),
    Pair("Face2Face", "world"): ((96.75, 81.91, 87.80, 93.71), (95.93, 78.46, 86.99, None)),
    Pair("NeuralTextures", "wavenet"): ((82.92, 92.28, 88.01, 95.04), (80.89, 92.68, 86.58, None)),
}
_TABLE3 = tuple(
    Row(FFPP, detector, numbers, unseen=pair)
    for pair, of_pair in _UNSEEN.items()
    for detector, numbers in zip(("two-plus-one-inter", INDEPENDENT), of_pair, strict=True)
)
_TABLE3_OTHERS = {  # in the order of _UNSEEN
    "Xception (video)": (93.90, 51.20, 86.80, 79.70),
    "CNN-aug (video)": (87.50, 56.30, 80.10, 67.80),
    "Patch-based (video)": (94.00, 60.50, 87.30, 84.80),
    "Face X-ray (video)": (99.50, 93.20, 94.50, 92.50),
    "CNN-GRU (video)": (97.60, 47.60, 85.80, 86.60),
    "LipForensics (video)": (99.70, 90.10, 99.70, 99.10),
    "ResCNN+GRU (audio)": (80.93, 83.51, 87.21, 89.37),
}
_NOTHING = (None, None, None, None)

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment("table2", "Table 2: frameworks and attentions", _TABLE2, HEADS_AND_AUC),
        Experiment(
            "table3",
            "Table 3: a video method and a vocoder that training never met",
            _TABLE3,
            HEADS_AND_AUC,
            others=_TABLE3_OTHERS,
        ),
        Experiment(
            "table4",
            "Table 4: each clip with the sound of another person",
            (
                Row(FFPP, "two-plus-one", (98.02, 91.07, 95.44, 98.65)),
                Row(FFPP, "two-plus-one-inter", (98.21, 92.46, 95.44, 98.90)),
            ),
            HEADS_AND_AUC,
            shuffle_audio=True,
        ),
        Experiment(
            "fig3",
            "Figure 3: after which stages sound is added to pictures",
            tuple(
                Row(FFPP, detector, _NOTHING)
                for detector in (
                    "two-plus-one",
                    "two-plus-one-connect234",
                    "two-plus-one-connect34",
                    "two-plus-one-connect4",
                )
            ),
            HEADS_AND_AUC,
            notes=(
                "The paper shows this as a curve, without numbers. two-plus-one connects all four stages.",
            ),
        ),
        Experiment(
            "in-the-wild",
            "An audio detector that learnt vocoders, on synthetic speech from the wild",
            (Row(FFPP, INDEPENDENT, (81.96, 89.55)),),
            (Measure("audio", "accuracy"), Measure("audio", "auc")),
            judged=WILD,
            notes=("The clips are not the paper's: its numbers are of others.",),
        ),
    )
}


def find_experiment(name: str) -> Experiment:
    """The experiment of a name.

    Raises:
        AvfakeError: There is none.
    """
    if name not in EXPERIMENTS:
        raise AvfakeError(f"experiment {name!r} is unknown; choose one of {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
