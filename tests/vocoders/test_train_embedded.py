"""The training of the embedded vocoder: it learns, can stop anywhere, and writes what is loaded."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from avfake.audio.io import save_flac
from avfake.audio.mel import log_mel
from avfake.errors import AvfakeError
from avfake.resources import resource_folder
from avfake.vocoders.cards import find_card
from avfake.vocoders.melgan import MelGanConfig
from avfake.vocoders.registry import load_vocoder
from tests.dummies import speech_like


@pytest.fixture(scope="module")
def script() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(resource_folder("vocoders")))
        import train_embedded

        yield train_embedded
    sys.modules.pop("train_embedded")


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speech")
    names = [f"librispeech/{speaker}-1-{clip}" for speaker in range(10, 17) for clip in range(2)]
    for seed, name in enumerate([*names, "ljspeech/LJ001-0001", "ljspeech/LJ001-0002", "ljspeech/other"]):
        rate = 16_000 if name.startswith("libri") else 22_050
        save_flac(folder / f"{name}.flac", speech_like(1.0, rate, seed), rate)
    return folder


def tiny(script: Any, **changes: Any) -> Any:
    return script.Plan(
        **({"channels": 16, "n_stacks": 1, "steps": 40, "n_frames": 16, "rate": 0.01} | changes)
    )


def recordings(script: Any, speech: Path) -> list[Any]:
    return [script.read_recording(path) for path in script.split_by_speaker(speech)[0]]


def test_no_speaker_is_on_both_sides(script: Any, speech: Path) -> None:
    seen, held_out = script.split_by_speaker(speech)
    assert {path.name for path in held_out} == {
        f"{speaker}-1-{clip}.flac" for speaker in (10, 15) for clip in (0, 1)
    }
    assert len(seen) == 5 * 2 + 1
    assert [path.name for path in seen if path.parent.name == "ljspeech"] == ["LJ001-0001.flac"]
    with pytest.raises(AvfakeError, match=r"lacks librispeech/\*\.flac; wanted at least two speakers"):
        script.split_by_speaker(speech / "ljspeech")


def test_a_batch_depends_on_its_step_alone_and_is_the_mel_of_its_sound(script: Any, speech: Path) -> None:
    heard, plan = recordings(script, speech), tiny(script, n_frames=32)
    mel, waveform = script.draw_batch(heard, plan, 3)
    again, other = script.draw_batch(heard, plan, 3), script.draw_batch(heard, plan, 4)
    assert torch.equal(mel, again[0])
    assert torch.equal(waveform, again[1])
    assert not torch.equal(mel, other[0])
    inside = slice(2, -2)  # frames that see nothing beyond the segment
    wanted = log_mel(waveform, script.MEL)[..., inside]
    torch.testing.assert_close(mel[..., inside], wanted, atol=0.01, rtol=0)


def test_the_first_weights_whisper(script: Any, speech: Path) -> None:
    mel, wanted = script.draw_batch(recordings(script, speech), tiny(script), 0)
    made = script.first_weights(tiny(script))(mel)
    assert 0 < made.std() < 5 * wanted.std()


def test_the_loss_falls(script: Any, speech: Path, tmp_path: Path) -> None:
    training, heard = script.Training(tiny(script, n_clips=2), tmp_path), recordings(script, speech)
    losses = [training.advance(heard) for _ in range(40)]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


def test_the_loss_is_nothing_for_the_same_sound_and_knows_the_level(script: Any) -> None:
    sound = torch.from_numpy(speech_like(0.4))[None]
    losses = [float(script.spectral_loss(gain * sound, sound)) for gain in (1.0, 0.9, 0.5, 0.0)]
    assert losses == sorted(losses)
    assert losses[0] == 0


def test_going_on_is_as_if_never_stopped(script: Any, speech: Path, tmp_path: Path) -> None:
    heard, plan = recordings(script, speech), tiny(script)
    whole = script.Training(plan, tmp_path / "whole")
    for _ in range(4):
        whole.advance(heard)
    for _ in range(2):
        part = script.Training(plan, tmp_path / "parts")
        part.advance(heard)
        part.advance(heard)
        part.save()
    whole.export(tmp_path / "whole.safetensors")
    part.export(tmp_path / "part.safetensors")
    assert part.step == whole.step == 4
    assert (tmp_path / "part.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


def test_rate_rises_stays_and_falls_to_nothing(script: Any) -> None:
    plan = script.Plan(steps=3000)
    assert plan.rate_at(0) == pytest.approx(plan.rate / 100)
    assert plan.rate_at(100) == plan.rate_at(2000) == plan.rate
    assert plan.rate_at(2500) == pytest.approx(plan.rate / 2)
    assert plan.rate_at(2999) == pytest.approx(plan.rate / 1000)
    assert replace(plan, steps=2000).rate_at(1000) == plan.rate_at(1000)


def test_what_is_exported_is_what_the_card_describes(script: Any, tmp_path: Path) -> None:
    card, plan = find_card("melgan.embedded"), script.Plan()
    assert card.mel == script.MEL
    assert MelGanConfig(**card.model) == MelGanConfig(channels=plan.channels, n_stacks=plan.n_stacks)
    training = script.Training(plan, tmp_path)
    training.export(tmp_path / "w.safetensors")
    vocoder = load_vocoder("melgan.embedded", tmp_path / "w.safetensors")
    mel = log_mel(torch.from_numpy(speech_like(0.5))[None], script.MEL)
    with torch.inference_mode():
        wanted = training.average.module(mel)[:, 0]
    torch.testing.assert_close(vocoder(mel), wanted, atol=1e-3, rtol=0)  # half precision


def test_the_command_writes_weights_and_says_how_good_they_are(
    script: Any,
    speech: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = tiny(script)
    monkeypatch.setattr(script, "Plan", lambda steps: replace(plan, steps=steps))
    n_threads = torch.get_num_threads()
    script.main(speech, tmp_path, steps=3, every=2)
    torch.set_num_threads(n_threads)
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said] == ["2 steps", "3 steps"]
    assert (tmp_path / "melgan.embedded.safetensors").is_file()
    assert not list(tmp_path.glob(".*"))
