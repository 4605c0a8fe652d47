"""Drums, hand percussion and effects, one sound each: mono, peaking near 1."""

import numpy as np

from sandbox.song.dsp import RATE, Random, Signal, band, seconds, shape


def _fall(start_hz: float, end_hz: float, bend_s: float, decay_s: float, length_s: float) -> Signal:
    """A skin: a sine that drops in pitch and dies away."""
    time = seconds(length_s)
    frequency = end_hz + (start_hz - end_hz) * np.exp(-time / bend_s)
    return (
        np.sin(2 * np.pi * np.cumsum(frequency) / RATE)
        * np.exp(-time / decay_s)
        * shape(len(time), 0.001, 0.03)
    )


def _hiss(
    low_hz: float, high_hz: float, decay_s: float, length_s: float, rng: Random, attack_s: float = 0.001
) -> Signal:
    time = seconds(length_s)
    noise = band(rng.normal(size=len(time)), low_hz, high_hz, 3)
    noise *= np.exp(-time / decay_s) * shape(len(time), attack_s, 0.03)
    noise /= np.max(np.abs(noise))
    return noise


def _partials(frequencies: Signal, time: Signal, rng: Random) -> Signal:
    turns = np.outer(frequencies, time) + rng.uniform(size=(len(frequencies), 1))
    return np.asarray(np.sum(np.sin(2 * np.pi * turns), axis=0))


def kick(rng: Random) -> Signal:
    sound = _fall(150, 49, 0.032, 0.17, 0.5)
    click = _hiss(1_200, 5_000, 0.004, 0.04, rng)
    sound[: len(click)] += 0.22 * click
    return sound


def snare(rng: Random) -> Signal:
    body = _fall(260, 186, 0.02, 0.075, 0.35)
    return 0.6 * body + 0.6 * _hiss(1_300, 9_500, 0.11, 0.35, rng)


def hat(rng: Random) -> Signal:
    return _hiss(7_500, 15_000, 0.03, 0.12, rng)


def open_hat(rng: Random) -> Signal:
    return _hiss(6_500, 14_000, 0.16, 0.4, rng)


def crash(rng: Random, length_s: float = 2.6) -> Signal:
    """Two layers of noise under a few inharmonic partials."""
    time = seconds(length_s)
    metal = _partials(np.array([3_170.0, 4_210, 5_430, 6_890, 8_120]), time, rng)
    wash = _hiss(3_000, 13_000, 0.75, length_s, rng) + 0.6 * _hiss(5_000, 15_000, 0.1, length_s, rng)
    return wash + 0.03 * metal * np.exp(-time / 0.5) * shape(len(time), 0.002, 0.05)


def tom(hz: float) -> Signal:
    return _fall(1.5 * hz, hz, 0.05, 0.22, 0.6)


def shaker(rng: Random) -> Signal:
    return _hiss(4_500, 9_500, 0.035, 0.14, rng, attack_s=0.022)


def tambourine(rng: Random) -> Signal:
    """Jingles: high partials, never twice the same."""
    time = seconds(0.35)
    jingles = _partials(rng.uniform(5_500, 11_500, 9), time, rng)
    ring = 0.09 * jingles * np.exp(-time / 0.07) * shape(len(time), 0.002, 0.05)
    return ring + 0.7 * _hiss(6_000, 13_000, 0.06, 0.35, rng)


def conga(hz: float, rng: Random) -> Signal:
    sound = _fall(1.12 * hz, hz, 0.03, 0.13, 0.45)
    slap = _hiss(900, 4_000, 0.01, 0.06, rng)
    sound[: len(slap)] += 0.25 * slap
    return sound


def slap(rng: Random) -> Signal:
    return 0.5 * conga(330, rng) + 0.8 * _hiss(1_100, 5_500, 0.022, 0.45, rng)


def sweep(start_hz: float, end_hz: float, length_s: float, rng: Random) -> Signal:
    """Noise through a band that glides: fixed bands, each open as the glide passes it."""
    length = round(length_s * RATE)
    path = np.linspace(np.log2(start_hz), np.log2(end_hz), length)
    total = np.zeros(length)
    for centre in np.arange(path.min() - 0.5, path.max() + 0.75, 0.25):
        noise = band(rng.normal(size=length), 2 ** (centre - 0.2), 2 ** (centre + 0.2))
        total += noise / np.std(noise) * np.exp(-(((path - centre) / 0.35) ** 2))
    return total / 6


def riser(length_s: float, rng: Random) -> Signal:
    """Grows and climbs until it is cut by the downbeat."""
    climb = sweep(350, 7_000, length_s, rng)
    growth = np.linspace(0, 1, len(climb)) ** 2.2
    return climb * growth * shape(len(climb), 0.1, 0.05)


def downlifter(length_s: float, rng: Random) -> Signal:
    """The answer to a riser: falls away after the downbeat, over a low boom."""
    fall = sweep(6_000, 250, length_s, rng)
    fall *= np.linspace(1, 0, len(fall)) ** 1.6 * shape(len(fall), 0.02, 0.2)
    boom = _fall(75, 38, 0.15, 0.5, length_s)
    return 0.7 * fall + 0.8 * boom


def reversed_cymbal(length_s: float, rng: Random) -> Signal:
    sound = crash(rng, length_s)[::-1].copy()
    return sound * shape(len(sound), 0.1, 0.02)


def chimes(pitches: list[float], rng: Random) -> Signal:
    """Small bells swept one after the other; ``pitches`` in Hz."""
    total = np.zeros(round(2.6 * RATE))
    time = seconds(1.6)
    for number, hz in enumerate(pitches):
        bell = np.sin(2 * np.pi * hz * time) + 0.3 * np.sin(2 * np.pi * 2.76 * hz * time)
        bell *= np.exp(-time / 0.4) * shape(len(time), 0.002, 0.1) * rng.uniform(0.5, 1)
        start = round((0.07 * number + rng.uniform(0, 0.02)) * RATE)
        total[start : start + len(bell)] += bell[: len(total) - start]
    return total / 4
