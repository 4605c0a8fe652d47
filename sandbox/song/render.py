"""Render the song's MP3s again: ``python -m sandbox.song.render`` (needs numpy; the same bytes each time)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import av
import numpy as np

from sandbox.song import FILES, STEMS, parts, path
from sandbox.song.dsp import LENGTH, RATE, Random, Signal, Track, reverberate, room, shape

logger = logging.getLogger(__name__)

SEED = 106
PEAK_DB = -1.5
# LAME's -V, 0 is finest: coarse for what is quiet in the mix, so that the stems still sum to it.
QUALITY = {"mix": 2, "basic_vocals": 4, "basic_instrumental": 4, "vocals": 5, "guitar": 5, "drums": 5}
QUALITY_OF_OTHERS = 7
VOICES = ("vocals", "backing_vocals")


@dataclass(frozen=True)
class Part:
    """Who plays, how loud while playing (dB, only the differences count) and how far back in the room."""

    play: Callable[[Random], Track]
    level_db: float
    room: float


PARTS = {
    "vocals": Part(parts.vocals, -17.0, 0.18),
    "backing_vocals": Part(parts.backing_vocals, -25.0, 0.4),
    "drums": Part(parts.drums, -20.0, 0.08),
    "bass": Part(parts.bass, -21.0, 0.0),
    "guitar": Part(parts.guitar, -24.5, 0.15),
    "keyboard": Part(parts.keyboard, -24.5, 0.2),
    "percussion": Part(parts.percussion, -29.0, 0.12),
    "strings": Part(parts.strings, -27.0, 0.35),
    "synth": Part(parts.synth, -28.0, 0.3),
    "fx": Part(parts.fx, -29.0, 0.35),
    "brass": Part(parts.brass, -25.0, 0.25),
    "woodwinds": Part(parts.woodwinds, -25.0, 0.35),
}


def loudness_db(samples: Signal) -> float:
    """The level while something plays: the mean power of the 0.4 s blocks within 20 dB of the loudest."""
    block = round(0.4 * RATE)
    whole = samples[:, : LENGTH // block * block]
    power = np.mean(whole.reshape(2, -1, block) ** 2, axis=(0, 2))
    return float(10 * np.log10(np.mean(power[power > 0.01 * power.max()])))


def perform(name: str) -> Signal:
    """One finished part: played, put into the room, set to its level, faded out with the song."""
    part = PARTS[name]
    # Each part has its own luck, so that a change to one leaves the others as they were.
    track = part.play(np.random.default_rng([SEED, STEMS.index(name)]))
    samples = reverberate(track.samples, room(np.random.default_rng(SEED)), part.room)
    samples *= shape(LENGTH, 0.002, 1.2)
    return samples * 10 ** ((part.level_db - loudness_db(samples)) / 20)


def mixed(stems: dict[str, Signal]) -> dict[str, Signal]:
    """Every file's samples: the stems and their sums, under one gain that takes the mix to its peak."""
    mix = sum(stems.values(), np.zeros((2, LENGTH)))
    gain = 10 ** (PEAK_DB / 20) / np.max(np.abs(mix))
    voices = sum((stems[name] for name in VOICES), np.zeros((2, LENGTH)))
    sums = {"mix": mix, "basic_vocals": voices, "basic_instrumental": mix - voices}
    return {name: gain * samples for name, samples in (sums | stems).items()}


def _variable_rate(name: str) -> dict[str, str]:
    """The encoder's options; ffmpeg counts quality in units of 118."""
    quality = QUALITY.get(name, QUALITY_OF_OTHERS)
    return {"flags": "+qscale", "global_quality": str(118 * quality), "cutoff": "12000"}


def encode(name: str, samples: Signal) -> None:
    """Write an MP3, joint stereo at a variable rate; all files share LAME's delay and stay aligned."""
    with av.open(str(path(name)), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="stereo", options=_variable_rate(name))
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32), format="fltp", layout="stereo")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    files = mixed({name: perform(name) for name in STEMS})
    for name in FILES:
        encode(name, files[name])
        peak_db = 20 * np.log10(np.max(np.abs(files[name])))
        size_kb = path(name).stat().st_size / 1_000
        logger.info(
            "%-18s %6.1f dB  peak %6.1f dB  %4.0f kB", name, loudness_db(files[name]), peak_db, size_kb
        )


if __name__ == "__main__":
    main()
