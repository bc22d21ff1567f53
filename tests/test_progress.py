"""Bars are for people: a terminal gets them, a file gets not one byte."""

import pytest

from avfake.progress import track, track_bytes


def test_nothing_is_shown_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with track("clips", total=2) as advance, track_bytes("weights") as told:
        advance(1)
        told(10, 20)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_is_shown_what_is_done_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    with track("clips", total=3) as advance:
        advance(2)
    with track_bytes("weights") as told:
        told(1000, 4000)
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/3" in err
    assert "1.0/4.0 kB" in err
