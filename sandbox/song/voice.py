"""A singing voice: partials of a wavering pitch, weighted by the formants of vowels, after consonants.

Formants are close to the tenor's of https://csound.com/docs/manual/MiscFormants.html
"""

from dataclasses import dataclass

import numpy as np

from sandbox.song.dsp import LENGTH, RATE, Random, Signal, band, drift, shape

HOP = 128
FRAMES = LENGTH // HOP + 2
FRAME_S = HOP / RATE

# Five formants each: Hz, dB, bandwidth in Hz.
VOWELS = {
    "a": ((680, 1080, 2650, 2900, 3250), (0, -5, -9, -10, -22), (90, 100, 130, 150, 160)),
    "e": ((450, 1700, 2600, 3200, 3580), (0, -12, -12, -14, -20), (80, 90, 120, 140, 140)),
    "i": ((320, 1870, 2800, 3250, 3540), (0, -13, -16, -18, -28), (70, 100, 120, 140, 140)),
    "o": ((450, 820, 2600, 2800, 3000), (0, -8, -14, -14, -26), (80, 90, 120, 150, 150)),
    "u": ((360, 640, 2700, 2900, 3300), (0, -14, -20, -20, -30), (70, 80, 120, 140, 140)),
    "l": ((380, 1250, 2700, 3200, 3500), (-3, -16, -20, -24, -30), (80, 120, 150, 150, 150)),
    "m": ((260, 1050, 2300, 2900, 3400), (-3, -26, -30, -34, -40), (80, 150, 200, 200, 200)),
    "r": ((380, 1150, 1650, 2900, 3400), (-3, -12, -18, -26, -32), (80, 110, 130, 150, 150)),
}


@dataclass(frozen=True)
class Consonant:
    """Before a vowel: ``hum`` is sung for ``hum_s``, then the mouth may close, then a noise may follow."""

    hum: str = ""
    hum_s: float = 0.0
    closed_s: float = 0.0
    noise_hz: tuple[float, float] = (0.0, 0.0)
    noise_s: float = 0.0
    noise: float = 0.0


CONSONANTS = {
    "": Consonant(),
    "l": Consonant("l", 0.07),
    "m": Consonant("m", 0.08),
    "n": Consonant("m", 0.07),
    "r": Consonant("r", 0.08),
    "w": Consonant("u", 0.09),
    "b": Consonant("m", 0.03, 0.025, (300, 1_500), 0.012, 0.3),
    "d": Consonant("m", 0.02, 0.025, (2_500, 5_500), 0.015, 0.25),
    "p": Consonant("", 0, 0.05, (400, 3_000), 0.02, 0.3),
    "t": Consonant("", 0, 0.05, (3_000, 7_500), 0.022, 0.3),
    "h": Consonant("", 0, 0.05, (700, 4_500), 0.08, 0.14),
    "s": Consonant("", 0, 0.08, (4_800, 8_500), 0.09, 0.28),
}


@dataclass(frozen=True)
class Sung:
    """One syllable: seconds, a MIDI pitch, and how loud."""

    at_s: float
    length_s: float
    pitch: float
    consonant: str
    vowels: str
    level: float

    @property
    def frames(self) -> slice:
        return _frames(self.at_s, self.at_s + self.length_s)


@dataclass(frozen=True)
class Style:
    """How one singer sings; ``attack_s`` also smooths the way from tone to tone."""

    attack_s: float = 0.045
    glide_s: float = 0.09
    vibrato: float = 0.32
    breath: float = 0.04
    harmonics: int = 36
    rate_hz: float = 5.4


def sing(notes: list[Sung], style: Style, rng: Random) -> Signal:
    """A whole line, mono, as long as the song. Notes are in the order of time."""
    pitch = _pitch(notes, style, rng)
    loudness = _loudness(notes, style, rng)
    voiced = _harmonics(440 * 2 ** ((pitch - 69) / 12), _formants(notes), style.harmonics)
    breath = band(rng.normal(size=LENGTH), 2_500, 7_500) * style.breath
    return (voiced + breath) * _samples(loudness) + _noises(notes, rng)


def _frames(start_s: float, end_s: float) -> slice:
    return slice(max(0, round(start_s / FRAME_S)), max(0, round(end_s / FRAME_S)))


def _samples(curve: Signal) -> Signal:
    return np.interp(np.arange(LENGTH), np.arange(FRAMES) * HOP, curve)


def _smooth(curve: Signal, width_s: float) -> Signal:
    window = np.hanning(max(3, round(width_s / FRAME_S)) + 2)
    padded = np.pad(curve, len(window), mode="edge")
    return np.convolve(padded, window / window.sum(), "same")[len(window) : len(window) + len(curve)]


def _pitch(notes: list[Sung], style: Style, rng: Random) -> Signal:
    """MIDI pitch per frame: steps made into glides, a scoop into each phrase, vibrato on what is held."""
    steps, depth, end_s = np.full(FRAMES, notes[0].pitch - 1.0), np.zeros(FRAMES), 0.0
    for note in notes:
        if note.at_s - end_s > 0.15:
            steps[_frames(note.at_s - 0.1, note.at_s)] = note.pitch - 0.9
        steps[note.frames.start :] = note.pitch
        depth[_frames(note.at_s + 0.22, note.at_s + note.length_s)] = 1.0
        end_s = note.at_s + note.length_s
    rate = style.rate_hz * (1 + 0.06 * drift(FRAMES, 1.5, rng))
    vibrato = np.sin(2 * np.pi * (np.cumsum(rate) * FRAME_S + rng.uniform()))
    waver = 0.05 * drift(FRAMES, 9, rng) + 0.06 * drift(FRAMES, 2, rng)
    return _smooth(steps, style.glide_s) + style.vibrato * _smooth(depth, 0.35) * vibrato + waver


def _loudness(notes: list[Sung], style: Style, rng: Random) -> Signal:
    """0 to 1 per frame: every syllable swells a little and falls away, closed consonants leave gaps."""
    curve = np.zeros(FRAMES)
    for note in notes:
        inside = np.linspace(0, 1, len(curve[note.frames]))
        curve[note.frames] = note.level * (0.86 + 0.2 * np.sin(np.pi * inside**0.7) - 0.22 * inside**3)
        consonant = CONSONANTS[note.consonant]
        onset = note.at_s - consonant.closed_s
        curve[_frames(onset - consonant.hum_s, onset)] = 0.75 * note.level if consonant.hum else 0.0
        curve[_frames(onset, note.at_s)] = 0.0
    return _smooth(curve, style.attack_s) * (1 + 0.05 * drift(FRAMES, 12, rng))


def _formants(notes: list[Sung]) -> Signal:
    """(3, 5, frames): Hz, dB and bandwidth of the five formants as the mouth moves."""
    first = np.array(VOWELS[notes[0].vowels[0]], dtype=np.float64)
    curve = np.repeat(first[:, :, None], FRAMES, axis=2)
    for note in notes:
        consonant, end_s = CONSONANTS[note.consonant], note.at_s + note.length_s
        hum_from = note.at_s - consonant.closed_s - consonant.hum_s
        turn = end_s - 0.35 * note.length_s
        mouth = ((consonant.hum, hum_from, note.at_s), (note.vowels[0], note.at_s, LENGTH / RATE))
        for sound, start_s, until_s in (*mouth, (note.vowels[-1], turn, LENGTH / RATE)):
            if sound:
                curve[:, :, _frames(start_s, until_s)] = np.array(VOWELS[sound])[:, :, None]
    return np.stack([[_smooth(row, 0.07) for row in rows] for rows in curve])


def _harmonics(frequency: Signal, formants: Signal, count: int) -> Signal:
    """Sum the partials of a pitch (Hz per frame), each as loud as the formants make it at its frequency."""
    weights = np.stack(
        [_resonance(number * frequency, frequency, formants) for number in range(1, count + 1)]
    )
    # A singer evens out most of the loudness that partials gain and lose as they cross formants.
    weights /= np.sqrt(np.sum(weights**2, axis=0)) ** 0.85
    phase = 2 * np.pi * np.cumsum(_samples(frequency)) / RATE
    total = np.zeros(LENGTH)
    for number, weight in enumerate(weights, start=1):
        total += _samples(weight) * np.sin(number * phase)
    return total


def _resonance(at: Signal, pitch: Signal, formants: Signal) -> Signal:
    """How much the mouth lets through at a frequency per frame, while a pitch is sung (both Hz)."""
    centre, level, width = formants
    # Singers open the mouth so that the first formant stays above a high pitch.
    first = np.maximum(centre[:1], 1.15 * pitch)
    centre = np.concatenate([first, np.maximum(centre[1:2], first * 1.5), centre[2:]])
    through = 10 ** (level / 20) / np.sqrt(1 + ((at - centre) / (1.1 * width)) ** 2)
    # Vocal folds close softly: what lies above the formants fades fast.
    return np.asarray(
        np.sum(through, axis=0) / (1 + (at / 4_000) ** 3) * np.clip((11_000 - at) / 5_000, 0, 1)
    )


def _noises(notes: list[Sung], rng: Random) -> Signal:
    """The hisses and bursts of consonants, ending as their vowels begin."""
    total = np.zeros(LENGTH + RATE)
    for note in notes:
        consonant = CONSONANTS[note.consonant]
        length = round(consonant.noise_s * RATE)
        if not length:
            continue
        burst = band(rng.normal(size=length), *consonant.noise_hz) * shape(length, 0.004, 0.02)
        start = max(0, round((note.at_s - 0.6 * consonant.noise_s) * RATE))
        total[start : start + length] += note.level * consonant.noise * burst
    return total[:LENGTH]
