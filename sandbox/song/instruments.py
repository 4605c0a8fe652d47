"""One tone of each pitched instrument: mono, from its attack to the end of its ring, peaking near 1."""

import numpy as np

from sandbox.song.dsp import RATE, Random, Signal, band, drift, hertz, oscillate, saw, seconds, shape


def pluck(pitch: float, length_s: float, brightness_hz: float, rng: Random) -> Signal:
    """A steel string (Karplus and Strong, 1983): a noisy cycle that smooths itself as it repeats."""
    period = RATE / hertz(pitch)
    size = int(period)
    cycle = band(np.tile(rng.uniform(-1, 1, size), 3), 0, brightness_hz, 1)[size : 2 * size]
    cycle -= cycle.mean()
    damping = 0.5 ** (period / RATE / (0.55 - 0.004 * (pitch - 50)))
    cycles = [cycle]
    last = 0.0
    for _ in range(int(length_s * RATE / period) + 2):
        before = np.concatenate([[last], cycle[:-1]])
        last = float(cycle[-1])
        cycle = damping * (0.5 * cycle + 0.5 * before)
        cycles.append(cycle)
    ring = np.concatenate(cycles)
    # The averaging adds half a sample to the period; resampling puts the string in tune.
    position = np.arange(round(length_s * RATE)) * (size + 0.5) / period
    string = np.interp(position, np.arange(len(ring)), ring)
    return np.asarray(string / np.max(np.abs(string)) * shape(len(string), 0.001, 0.06))


def electric_piano(pitch: float, length_s: float, velocity: float) -> Signal:
    """Frequency modulation: a bell-like tine over a round tone, brighter when struck harder."""
    time, frequency = seconds(length_s + 0.25), hertz(pitch)
    ring = np.exp(-time / (1.5 - 0.008 * (pitch - 50)))
    index = (0.4 + 1.1 * velocity) * np.exp(-time / 0.5)
    body = np.sin(2 * np.pi * frequency * time + index * np.sin(2 * np.pi * frequency * time))
    tine = 0.12 * velocity * np.sin(2 * np.pi * frequency * 7 * time) * np.exp(-time / 0.09)
    return (body * ring + tine) * shape(len(time), 0.003, 0.22)


def bass(pitch: float, length_s: float, velocity: float) -> Signal:
    """A fingered electric bass: a warm tone whose overtones die first, with a little knock."""
    time, frequency = seconds(length_s), hertz(pitch)
    bright = oscillate(frequency, len(time), saw(frequency, 900)) * np.exp(-time / 0.16)
    warm = oscillate(frequency, len(time), np.array([1.0, 0.45, 0.16, 0.06])) * np.exp(-time / 1.1)
    return (warm + 0.5 * velocity * bright) * shape(len(time), 0.006, 0.05)


def strings(pitch: float, length_s: float, rng: Random) -> Signal:
    """Six players of one tone, each a little out of tune and of step, who take their time."""
    length = round((length_s + 0.45) * RATE)
    time = np.arange(length) / RATE
    total = np.zeros(length)
    for _ in range(6):
        detune = rng.normal(0, 0.06)
        vibrato = 0.09 * np.sin(2 * np.pi * (rng.uniform(4.6, 5.8) * time + rng.uniform()))
        frequency = hertz(pitch) * 2 ** ((detune + vibrato) / 12)
        total += oscillate(frequency, length, saw(hertz(pitch), 2_400), rng.uniform())
    swell = 0.8 + 0.2 * np.sin(np.pi * np.linspace(0, 1, length))
    return total / 6 * swell * shape(length, 0.34, 0.5)


def arpeggio(pitch: float, length_s: float, cutoff_hz: float) -> Signal:
    """A soft synthesizer pluck, two oscillators slightly apart."""
    length = round((length_s + 0.12) * RATE)
    frequency = hertz(pitch)
    partials = saw(frequency, cutoff_hz)
    pair = oscillate(frequency * 1.003, length, partials) + oscillate(
        frequency * 0.997, length, partials, 0.3
    )
    return 0.5 * pair * np.exp(-np.arange(length) / RATE / 0.13) * shape(length, 0.004, 0.06)


def brass(pitch: float, length_s: float, velocity: float, rng: Random) -> Signal:
    """Two horns in unison: the louder the moment, the more overtones."""
    length = round((length_s + 0.08) * RATE)
    time = np.arange(length) / RATE
    pressure = shape(length, 0.05, 0.1) * (0.72 + 0.28 * np.exp(-time / 0.12))
    total = np.zeros(length)
    for _ in range(2):
        scoop = -0.5 * np.exp(-time / 0.025) + rng.normal(0, 0.04) + 0.03 * drift(length, 6, rng)
        turns = np.cumsum(hertz(pitch) * 2 ** (scoop / 12)) / RATE + rng.uniform()
        for partial in range(1, max(2, int(9_000 / hertz(pitch)))):
            brightness = pressure ** (1 + 0.35 * partial) * (0.55 + 0.4 * velocity) ** (0.35 * partial)
            total += brightness / partial**0.55 * np.sin(2 * np.pi * partial * turns)
    return band(total, 150, 4_500, 1) / 4


def flute(pitch: float, length_s: float, rng: Random) -> Signal:
    """A nearly pure tone with breath around it and a vibrato that comes late."""
    length = round((length_s + 0.05) * RATE)
    time = np.arange(length) / RATE
    late = np.clip((time - 0.18) / 0.3, 0, 1)
    wave = late * np.sin(2 * np.pi * (5.1 * time + rng.uniform()))
    frequency = hertz(pitch) * 2 ** ((0.14 * wave + 0.04 * drift(length, 5, rng)) / 12)
    tone = oscillate(frequency, length, np.array([1.0, 0.32, 0.14, 0.04, 0.02])) * (1 + 0.14 * wave)
    air = band(rng.normal(size=length), 0.8 * hertz(pitch), 4 * hertz(pitch), 1)
    chiff = 1 + 2.5 * np.exp(-time / 0.04)
    return (tone + 0.05 * chiff * air) * shape(length, 0.055, 0.09)
