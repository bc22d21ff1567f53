"""The front-end of every card is one whose numbers were compared with its reference's."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from avfake.audio.mel import MelConfig
from avfake.vocoders.cards import load_cards
from tests.audio.test_mel_conformance import FRONT_ENDS

COMPARED = {  # family or card -> front-ends of its reference, whichever its rate
    "bigvgan": ("bigvgan_", "hifigan_22k_fmax8000"),
    "hifigan": ("hifigan_22k_fmax8000",),
    "hifigan.kan-bayashi": ("pwg_",),
    "melgan": ("melgan_descript",),
    "melgan.kan-bayashi": ("pwg_",),
    "multiband-melgan": ("pwg_",),
    "parallel-wavegan": ("pwg_",),
    "style-melgan": ("pwg_",),
    "vocos": ("vocos_mel_24khz",),
    "waveglow": ("waveglow_tacotron2",),
    "wavernn": ("wavernn_fatchord_reflect",),
    "wavernn.ljspeech-torchaudio": ("wavernn_torchaudio",),
}
NOT_COMPARED = {"wavenet.cmu-arctic-mol", "wavenet.ljspeech-mol"}  # their windows are no Hann windows


def with_limit(mel: MelConfig) -> MelConfig:
    """The same front-end, with its upper limit as a number."""
    return replace(mel, fmax=mel.top_hz)


@pytest.mark.parametrize("name", sorted(set(load_cards()) - NOT_COMPARED))
def test_front_end_is_the_reference_s(name: str) -> None:
    mel = with_limit(load_cards()[name].mel)
    kin = max((prefix for prefix in COMPARED if name.startswith(prefix)), key=len)
    wanted = [with_limit(FRONT_ENDS[end]) for end in FRONT_ENDS if end.startswith(COMPARED[kin])]
    if name.startswith("bigvgan") and mel.sample_rate == 44_100:  # no vectors, so its kin's with its numbers
        own = {
            key: getattr(mel, key) for key in ("sample_rate", "n_fft", "hop_length", "win_length", "n_mels")
        }
        wanted = [with_limit(replace(FRONT_ENDS["bigvgan_v2_24khz_100band_256x"], **own))]
    assert mel in wanted


@pytest.mark.shared
def test_front_ends_of_bigvgan_are_those_of_its_configurations(shared: Path) -> None:
    configs = json.loads((shared / "conformance" / "vocoders" / "bigvgan_nvidia.configs.json").read_text())
    for published, words in configs.items():
        (card,) = (card for card in load_cards().values() if f"/{published}/" in card.checkpoint.url)
        mel = (
            card.mel.sample_rate,
            card.mel.n_fft,
            card.mel.hop_length,
            card.mel.win_length,
            card.mel.n_mels,
        )
        keys = ("sampling_rate", "n_fft", "hop_size", "win_size", "num_mels")
        assert mel == tuple(words[key] for key in keys)
        assert (card.mel.fmin, card.mel.fmax) == (words["fmin"], words["fmax"])


@pytest.mark.shared
def test_front_ends_of_parallel_wavegan_s_kin_are_those_of_their_features(shared: Path) -> None:
    entries = json.loads((shared / "conformance" / "vocoders" / "pwg_kanbayashi.full-keys.json").read_text())
    for published, entry in entries.items():
        words = entry["config"]["features"]
        for card in load_cards().values():
            if card.checkpoint.file == f"{published}.tar.gz":
                mel = (card.mel.sample_rate, card.mel.n_fft, card.mel.hop_length, card.mel.n_mels)
                keys = ("sampling_rate", "fft_size", "hop_size", "num_mels")
                assert mel == tuple(words[key] for key in keys)
                assert card.mel.win_length == (words["win_length"] or words["fft_size"])
                assert (card.mel.fmin, card.mel.fmax) == (words["fmin"], words["fmax"])
