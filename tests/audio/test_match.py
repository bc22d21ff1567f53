"""After matching, nothing trivial tells a resynthesis from its source."""

import tracemalloc

import numpy as np
import pytest

from avfake.audio import align, blocks, measure, phases
from avfake.audio.filters import low_pass, split_bands
from avfake.audio.match import match_sound
from avfake.audio.measure import active_speech, bandwidth_hz, edge_silence, loudness_db
from avfake.audio.phases import peaks_of
from avfake.errors import ClipError, ErrorKind
from tests.dummies import Waveform, speech_like

RATE = 22_050


@pytest.fixture
def source() -> Waveform:
    return speech_like(3.0)


def test_level_and_offset_of_the_source_return(source: Waveform) -> None:
    matched = match_sound(source * np.float32(0.3) + np.float32(0.05), source, RATE)
    speech = active_speech(source, RATE)
    assert matched.gain_db == pytest.approx(-20 * np.log10(0.3), abs=0.05)
    assert loudness_db(matched.waveform, speech) == pytest.approx(loudness_db(source, speech), abs=0.1)
    assert abs(matched.waveform.mean()) < 1e-4
    assert matched.lag_ms == pytest.approx(0, abs=0.05)


def test_edges_are_as_loud_as_the_sources(source: Waveform) -> None:
    hiss = 0.02 * np.random.default_rng(1).standard_normal(len(source)).astype(np.float32)
    matched = match_sound(source + hiss * ~active_speech(source, RATE), source, RATE)
    assert edge_silence(matched.waveform, RATE) == pytest.approx(edge_silence(source, RATE), abs=0.041)
    lead = slice(0, round(0.1 * RATE))
    assert loudness_db(matched.waveform[lead]) == pytest.approx(loudness_db(source[lead]), abs=1.0)


def test_a_humming_room_is_not_answered_with_hiss(source: Waveform) -> None:
    hum = 0.02 * np.cos(2 * np.pi * 50 * np.arange(len(source)) / RATE)
    humming = (source + hum).astype(np.float32)
    matched = match_sound(source, humming, RATE).waveform
    lead = slice(0, round(0.1 * RATE))
    low, high = zip(*(split_bands(sound, (300.0,), RATE) for sound in (matched, humming)), strict=True)
    assert loudness_db(high[0][lead]) == pytest.approx(loudness_db(high[1][lead]), abs=1.0)
    np.testing.assert_allclose(low[0][lead], low[1][lead], atol=2e-3)


def test_digital_silence_stays_digital(source: Waveform) -> None:
    source[:2000] = source[-3000:] = 0
    noise = 1e-3 * np.random.default_rng(1).standard_normal(len(source)).astype(np.float32)
    matched = match_sound(source + noise, source, RATE)
    assert not matched.waveform[:2000].any()
    assert not matched.waveform[-3000:].any()


def test_nothing_lies_above_the_band_of_the_source(source: Waveform) -> None:
    narrow = low_pass(source, 4_000, RATE)
    assert bandwidth_hz(match_sound(source, narrow, RATE).waveform, RATE) <= bandwidth_hz(narrow, RATE) * 1.03


def test_the_peaks_and_the_loudness_of_the_source_return(source: Waveform) -> None:
    sharper = (-source * (1 + 0.3 * np.abs(source) / np.abs(source).max())).astype(np.float32)
    matched = match_sound(sharper, source, RATE).waveform
    assert max(peaks_of(matched)) == pytest.approx(max(peaks_of(source)), rel=0.01)
    assert peaks_of(matched) == pytest.approx(peaks_of(source), rel=0.15)
    speech = active_speech(source, RATE)
    assert abs(loudness_db(matched, speech) - loudness_db(source, speech)) < 0.3


def test_loudness_stays_within_a_decibel_where_the_peak_is_out_of_reach(source: Waveform) -> None:
    sharper = source * (1 + np.abs(source) / np.abs(source).max()) ** 3
    matched = match_sound(sharper.astype(np.float32), source, RATE).waveform
    assert abs(loudness_db(matched) - loudness_db(source)) < 1.1


def test_no_peak_is_limited(source: Waveform) -> None:
    source = source / np.abs(source).max()
    spiky = np.where(np.abs(source) > 0.7, source, source * np.float32(0.5)).astype(np.float32)
    matched = match_sound(spiky, source, RATE)
    assert np.abs(matched.waveform).max() <= 1
    assert np.sum(np.abs(matched.waveform) > 0.9999) <= 1


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda w: np.where(np.arange(len(w)) == 9, np.float32(np.nan), w), ErrorKind.NOT_FINITE),
        (lambda w: np.zeros_like(w), ErrorKind.SILENT),
        (lambda w: w * np.float32(100), ErrorKind.WRONG_LEVEL),
        (lambda w: np.roll(w, 44), ErrorKind.MISALIGNED),
    ],
)
def test_a_broken_output_fails_the_clip(source: Waveform, spoil: object, kind: ErrorKind) -> None:
    with pytest.raises(ClipError) as caught:
        match_sound(spoil(source), source, RATE)  # type: ignore[operator]
    assert caught.value.kind is kind


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is bounded, bounded so tightly that what grows shows in a short clip."""
    monkeypatch.setattr(blocks, "_BLOCK", 20_000)
    monkeypatch.setattr(measure, "_FRAMES_AT_ONCE", 32)
    monkeypatch.setattr(phases, "_MOST_BLOCKS", 2)
    monkeypatch.setattr(align, "_LONGEST_S", 1.5)


def test_blocks_change_nothing_that_is_heard(monkeypatch: pytest.MonkeyPatch, source: Waveform) -> None:
    fake = source + 0.002 * np.random.default_rng(1).standard_normal(len(source)).astype(np.float32)
    whole = match_sound(fake, source, RATE)
    monkeypatch.setattr(blocks, "_BLOCK", 20_000)
    by_blocks = match_sound(fake, source, RATE)
    np.testing.assert_allclose(by_blocks.waveform, whole.waveform, atol=1e-6)
    assert by_blocks[1:] == pytest.approx(whole[1:], abs=1e-4)


@pytest.mark.usefixtures("small_blocks")
def test_matching_a_long_clip_takes_six_waveforms_of_memory() -> None:
    """Besides the two that come in, however long they are: everything else is done by blocks."""
    source = speech_like(30.0)
    fake = source * np.float32(0.7)
    tracemalloc.start()
    match_sound(fake, source, RATE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * source.nbytes
