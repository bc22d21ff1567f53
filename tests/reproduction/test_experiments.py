"""The experiments as data, counted by hand."""

import pytest

from avfake.errors import AvfakeError
from avfake.models.config import PRESETS, changed
from avfake.reproduction.experiments import (
    DETECTORS,
    DFDC,
    EXPERIMENTS,
    FFPP,
    INDEPENDENT,
    Experiment,
    find_experiment,
)
from avfake.vocoders.registry import FAMILIES


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=str)
def test_every_row_is_whole(experiment: Experiment) -> None:
    for row in experiment.rows:
        changed(PRESETS["paper"], DETECTORS[row.detector])  # refuses unknown fields
        assert len(row.published) == len(experiment.measures)
        assert row.unseen is None or row.unseen.vocoder in FAMILIES
    keys = [(row.data, row.label, row.unseen) for row in experiment.rows]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=str)
def test_streams_are_trained_before_they_are_frozen(experiment: Experiment) -> None:
    begun = set()
    for row in experiment.rows:
        if row.label == INDEPENDENT:
            begun.add((row.data, row.unseen))
        assert not row.frozen or (row.data, row.unseen) in begun


def test_table2_has_eleven_and_seven_rows() -> None:
    rows = EXPERIMENTS["table2"].rows
    assert [sum(row.data == data for row in rows) for data in (FFPP, DFDC)] == [11, 7]
    assert sum(row.frozen for row in rows) == 8
    assert {row.detector for row in rows if not row.frozen and row.data == FFPP} == {
        "independent",
        "late-fusion",
        "two-plus-one",
        "two-plus-one-inter+intra",
        "two-plus-one-joint",
        "two-plus-one-inter",
    }


def test_table3_leaves_out_four_pairs() -> None:
    rows = EXPERIMENTS["table3"].rows
    assert list(dict.fromkeys(str(row.unseen) for row in rows)) == [
        "Deepfakes + griffin-lim",
        "FaceSwap + wavernn",
        "Face2Face + world",
        "NeuralTextures + wavenet",
    ]
    assert len(rows) == 8
    assert all(len(numbers) == 4 for numbers in EXPERIMENTS["table3"].others.values())


def test_figure3_takes_connections_away_from_below() -> None:
    connected = [DETECTORS[row.detector].get("connect", "1234") for row in EXPERIMENTS["fig3"].rows]
    assert connected == ["1234", "234", "34", "4"]


def test_an_unknown_experiment_names_the_known_ones() -> None:
    with pytest.raises(AvfakeError, match="'table5' is unknown; choose one of table2, table3, table4, fig3"):
        find_experiment("table5")
