"""Signals and what is done to them. Mono is ``(samples,)``, stereo ``(2, samples)``, both at ``RATE``."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sandbox.song import DURATION_S

RATE = 44_100
LENGTH = round(DURATION_S * RATE)

Signal = NDArray[np.float64]
Random = np.random.Generator


def _silence() -> Signal:
    return np.zeros((2, LENGTH))


@dataclass(frozen=True)
class Track:
    """A stereo tape as long as the song, on which sounds are laid."""

    samples: Signal = field(default_factory=_silence)

    def add(self, sound: Signal, at_s: float, gain: float = 1.0, pan: float = 0.0) -> None:
        """Lay a mono sound at a time; ``pan`` from -1 (left) to 1, at constant power. The end is cut off."""
        start = max(0, round(at_s * RATE))
        room = sound[: max(0, LENGTH - start)]
        angle = (pan + 1) * np.pi / 4
        self.samples[0, start : start + len(room)] += gain * np.cos(angle) * room
        self.samples[1, start : start + len(room)] += gain * np.sin(angle) * room


def seconds(duration_s: float) -> Signal:
    """The time of every sample of a sound that lasts so long."""
    return np.arange(round(duration_s * RATE)) / RATE


def hertz(pitch: float) -> float:
    """The frequency of a MIDI pitch."""
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def shape(length: int, attack_s: float, release_s: float) -> Signal:
    """An envelope with soft ends, so that nothing clicks."""
    attack, release = (max(1, min(length // 2, round(s * RATE))) for s in (attack_s, release_s))
    envelope = np.ones(length)
    envelope[:attack] = (1 - np.cos(np.pi * np.arange(attack) / attack)) / 2
    envelope[length - release :] *= (1 + np.cos(np.pi * np.arange(1, release + 1) / release)) / 2
    return envelope


def band(sound: Signal, low_hz: float = 0.0, high_hz: float = RATE, order: int = 2) -> Signal:
    """Keep what lies between two frequencies, along the last axis, with slopes of 6 * order dB per octave."""
    size = sound.shape[-1] + RATE // 10
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    gain = 1 / np.sqrt(1 + (frequency / high_hz) ** (2 * order))
    if low_hz:
        ratio = (frequency / low_hz) ** order
        gain *= ratio / np.sqrt(1 + ratio**2)
    return np.fft.irfft(np.fft.rfft(sound, size) * gain, size)[..., : sound.shape[-1]]


def oscillate(frequency: float | Signal, length: int, harmonics: Signal, phase: float = 0.0) -> Signal:
    """A periodic tone whose k-th partial (from 1) has the k-th of these amplitudes."""
    cycle = np.arange(2049) / 2048
    partials = np.arange(1, len(harmonics) + 1)
    table = harmonics @ np.sin(2 * np.pi * np.outer(partials, cycle))
    turns = np.cumsum(np.broadcast_to(frequency, length)) / RATE + phase
    return np.interp(turns % 1.0, cycle, table)


def saw(frequency: float, cutoff_hz: float) -> Signal:
    """Amplitudes of a sawtooth's partials behind a gentle low-pass; none above hearing, so none alias."""
    partials = np.arange(1, max(2, int(15_000 / frequency)))
    return 1 / partials / (1 + (partials * frequency / cutoff_hz) ** 2)


def drift(length: int, rate_hz: float, rng: Random) -> Signal:
    """A slow random curve of about ±1: the unsteadiness of a hand or a voice."""
    points = max(4, int(length / RATE * rate_hz) + 3)
    return np.interp(np.linspace(0, points - 1, length), np.arange(points), rng.normal(0, 0.6, points))


def echo(samples: Signal, delay_s: float, feedback: float, repeats: int) -> Signal:
    """Repeats that change sides, stereo to stereo."""
    wet = samples.copy()
    for number in range(1, repeats + 1):
        shift = round(number * delay_s * RATE)
        side = samples[::-1] if number % 2 else samples
        wet[:, shift:] += feedback**number * side[:, :-shift]
    return wet


def room(rng: Random, decay_s: float = 0.42, length_s: float = 2.0) -> Signal:
    """A soft hall's stereo impulse response: noise that dies away, the treble sooner; unit energy a side."""
    time = seconds(length_s)
    noise = rng.normal(size=(2, len(time)))
    low, high = band(noise, 200, 2_500), band(noise, 2_500, 5_500)
    response = low * np.exp(-time / decay_s) + high * np.exp(-time / (decay_s * 0.45))
    response *= np.minimum(1, time / 0.012)
    energy: Signal = np.sum(response**2, axis=1, keepdims=True)
    return np.pad(response / np.sqrt(energy), ((0, 0), (round(0.02 * RATE), 0)))


def reverberate(samples: Signal, response: Signal, amount: float) -> Signal:
    """Add a room. It is linear: the rooms of the parts sum to the room of the mix."""
    size = LENGTH + response.shape[1]
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)
    return samples + amount * wet[:, :LENGTH]
