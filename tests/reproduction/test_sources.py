"""What is missing is named with the command that makes it."""

import pytest

from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.reproduction.experiments import EXPERIMENTS, FAMILIES, Pair
from avfake.reproduction.sources import find_sources, of_family
from avfake.vocoders.registry import full_name
from tests.reproduction.corpora import make_corpus


def missing(workspace: Workspace, experiment: str, *corpora: str) -> list[str]:
    return [
        line
        for source in find_sources(workspace, EXPERIMENTS[experiment], corpora)
        for line in source.missing
    ]


def test_an_empty_workspace_lacks_everything(workspace: Workspace) -> None:
    lines = missing(workspace, "table4")
    assert lines[:3] == [
        "FaceForensics++: no corpus ffpp is indexed: run avfake index ffpp ROOT --name ffpp",
        "ffpp has no fetched sound: run avfake fetch-audio ffpp",
        "ffpp has no face crops: run avfake faces ffpp",
    ]
    assert len(lines) == 3 + len(FAMILIES)
    assert not workspace.root.exists()


def test_a_whole_corpus_lacks_nothing_whatever_its_name(workspace: Workspace) -> None:
    make_corpus(workspace, "ff-raw", kind="ffpp")
    (source,) = find_sources(workspace, EXPERIMENTS["table4"], ())
    assert (source.corpus, source.stands_in, source.missing) == ("ff-raw", False, ())
    assert source.vocoders == tuple(map(full_name, FAMILIES))


def test_each_gap_is_named(workspace: Workspace) -> None:
    vocoders = [full_name(family) for family in FAMILIES if family != "wavernn"]
    make_corpus(workspace, "ff", kind="ffpp", methods=["Deepfakes"], vocoders=vocoders, cropped=False)
    assert missing(workspace, "table4") == [
        "ff has no face crops: run avfake faces ff",
        "ff is not vocoded with wavernn: run avfake vocode ff --vocoder wavernn.ljspeech-mol",
        *(
            f"ff has no clips of {method}: add them, and run avfake index ffpp ROOT again"
            for method in ("Face2Face", "FaceSwap", "NeuralTextures")
        ),
    ]


def test_two_corpora_of_a_kind_ask_which(workspace: Workspace) -> None:
    for name in ("ff-c23", "ff-raw"):
        make_corpus(workspace, name, kind="ffpp", vocoders=["world"])
    assert missing(workspace, "table4") == [
        "2 corpora are of kind ffpp (ff-c23, ff-raw): choose with --corpus"
    ]


def test_another_corpus_stands_in_and_says_so(workspace: Workspace) -> None:
    make_corpus(
        workspace, "folk", kind="folder", methods=["blend", "warp"], vocoders=["griffin-lim", "world"]
    )
    (source,) = find_sources(workspace, EXPERIMENTS["table3"], ["folk"])
    assert source.missing == ()
    assert source.notes == ("folk stands in for FaceForensics++: data differ, and so must numbers.",)
    pairs = [Pair("Deepfakes", "griffin-lim"), Pair("FaceSwap", "wavernn"), Pair("Face2Face", "world")]
    assert source.stand_in(pairs) == {
        pairs[0]: Pair("blend", "griffin-lim"),
        pairs[1]: Pair("warp", "world"),
    }


def test_one_method_is_no_unseen_pair(workspace: Workspace) -> None:
    make_corpus(workspace, "folk", kind="folder", methods=["blend"], vocoders=["griffin-lim", "world"])
    (source,) = find_sources(workspace, EXPERIMENTS["table3"], ["folk"])
    assert source.stand_in([Pair("Deepfakes", "griffin-lim")]) == {}


def test_clips_from_the_wild_need_a_label(workspace: Workspace) -> None:
    make_corpus(workspace, "ff", kind="ffpp")
    make_corpus(workspace, "wild", kind="folder", methods=[], vocoders=[], cropped=False)
    (line,) = missing(workspace, "in-the-wild")
    assert line.startswith("wild has no clip whose sound is labelled fake: run avfake index folder ROOT")


def test_too_many_corpora_are_refused(workspace: Workspace) -> None:
    with pytest.raises(AvfakeError, match=r"2 corpora are named, fig3 is made on FaceForensics\+\+ alone"):
        find_sources(workspace, EXPERIMENTS["fig3"], ["one", "two"])


def test_the_default_of_a_family_comes_first() -> None:
    assert of_family("melgan", ["melgan.embedded", "melgan.multi-speaker"]) == "melgan.multi-speaker"
    assert of_family("melgan", ["melgan.embedded", "multiband-melgan.vctk-v2"]) == "melgan.embedded"
