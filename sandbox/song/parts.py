"""Who plays what: each part lays its instrument's tones on a track, as the score says, like people play."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sandbox.song import instruments, noises, score
from sandbox.song.dsp import LENGTH, RATE, Random, Signal, Track, band, echo, hertz
from sandbox.song.score import BAR_S, BEAT_S, BEATS_PER_BAR, Groove, Hit, Note, chord_at, hits, line, voicing
from sandbox.song.voice import Style, Sung, sing

CHORUS = 8 * BEATS_PER_BAR
END = 16 * BEATS_PER_BAR

VELOCITY = {"X": 1.0, "x": 0.74, "o": 0.4, "s": 0.8}
# The scale of G: harmonies stay inside it.
SCALE = (0, 2, 4, 6, 7, 9, 11)


def _about(beat: float, rng: Random, loose_s: float = 0.006) -> float:
    """When somebody plays a beat, in seconds: never quite on it."""
    return max(0.0, beat * BEAT_S + float(np.clip(rng.normal(0, loose_s), -2 * loose_s, 2 * loose_s)))


def _force(mark: str, rng: Random) -> float:
    return VELOCITY.get(mark, 0.75) * float(rng.uniform(0.88, 1.0))


def _beat_out(
    track: Track,
    grooves: tuple[Groove, ...],
    strike: Callable[[Hit], Signal],
    rng: Random,
    gain: float,
    pan: float,
) -> None:
    for hit in hits(grooves):
        track.add(strike(hit), _about(hit.beat, rng, 0.003), gain * _force(hit.mark, rng), pan)


def _phrasing(note: Note) -> float:
    """How loud a tone of the melody is: higher and longer is louder, the chorus above the verse."""
    section = 0.78 if note.beat < CHORUS - 1 else 1.0
    return section * (0.72 + 0.016 * (note.pitch - 62) + 0.06 * min(note.beats, 2))


def _sung(note: Note, rng: Random, loose_s: float = 0.008) -> Sung:
    length_s = note.beats * BEAT_S - (0.06 if note.beats > 1 else 0.015)
    return Sung(
        _about(note.beat, rng, loose_s) + 0.012,
        length_s,
        note.pitch,
        note.consonant,
        note.vowels,
        _phrasing(note),
    )


def vocals(rng: Random) -> Track:
    """The lead, doubled by a second take in the chorus."""
    track, melody = Track(), line(score.LEAD)
    first = sing([_sung(note, rng, 0.005) for note in melody], Style(), rng)
    double = [_sung(note, rng, 0.012) for note in melody if note.beat >= CHORUS - 1]
    second = sing(double, Style(vibrato=0.22, breath=0.08, harmonics=30, rate_hz=5.0), rng)
    track.add(band(first, 120), 0.0)
    track.add(band(second, 160), 0.011, 0.22, 0.35)
    return track


def _pad_vowel(beat: float) -> str:
    return "u" if beat < CHORUS else "oa" if beat < END else "ou"


def _pad(voice: int, rng: Random) -> list[Sung]:
    """One voice (0 to 2, from below) of the chords that the backing singers hold."""
    notes = []
    for hit in hits(score.PAD):
        pitch = voicing(chord_at(hit.beat), 57, 3)[voice] + float(rng.normal(0, 0.05))
        level = 0.7 if hit.beat < CHORUS else 1.0
        length_s = hit.beats * BEAT_S - 0.08
        notes.append(Sung(_about(hit.beat, rng, 0.012), length_s, pitch, "", _pad_vowel(hit.beat), level))
    return notes


def _third_below(note: Note) -> Note:
    """The same syllable two steps lower in the scale; long ones settle on a tone of the chord."""
    allowed = chord_at(note.beat).classes if note.beats >= 2 else SCALE
    pitch = next(pitch for pitch in range(note.pitch - 3, 0, -1) if pitch % 12 in allowed)
    return replace(note, pitch=pitch)


def backing_vocals(rng: Random) -> Track:
    """Three-part pads, two singers a part, and a third below the melody of the chorus."""
    track = Track()
    style = Style(attack_s=0.22, glide_s=0.14, vibrato=0.16, breath=0.1, harmonics=22)
    for voice in range(3):
        for pan in (-0.65 + 0.25 * voice, 0.65 - 0.25 * voice):
            track.add(sing(_pad(voice, rng), style, rng), 0.0, 0.5, pan)
    harmony = [_sung(_third_below(note), rng, 0.012) for note in line(score.LEAD) if note.beat >= CHORUS]
    for pan in (-0.4, 0.4):
        track.add(sing(harmony, Style(breath=0.08, vibrato=0.2, harmonics=26), rng), 0.012, 0.5, pan)
    return Track(band(track.samples, 180))


def drums(rng: Random) -> Track:
    track = Track()
    skins = {"h": (165, 0.3), "m": (125, 0.0), "l": (92, -0.3)}
    _beat_out(track, score.KICK, lambda _: noises.kick(rng), rng, 1.0, 0.0)
    _beat_out(track, score.SNARE, lambda _: noises.snare(rng), rng, 0.72, 0.05)
    _beat_out(track, score.HAT, lambda _: noises.hat(rng), rng, 0.26, 0.3)
    _beat_out(track, score.OPEN_HAT, lambda _: noises.open_hat(rng), rng, 0.2, 0.3)
    _beat_out(track, score.CRASH, lambda _: noises.crash(rng), rng, 0.26, -0.35)
    for hit in hits(score.TOMS):
        hz, pan = skins[hit.mark]
        track.add(noises.tom(hz), _about(hit.beat, rng, 0.003), 0.6, pan)
    return track


def percussion(rng: Random) -> Track:
    track = Track()
    congas = {
        "l": lambda: noises.conga(176, rng),
        "h": lambda: noises.conga(236, rng),
        "s": lambda: noises.slap(rng),
    }
    _beat_out(track, score.SHAKER, lambda _: noises.shaker(rng), rng, 0.5, -0.5)
    _beat_out(track, score.TAMBOURINE, lambda _: noises.tambourine(rng), rng, 0.6, 0.5)
    _beat_out(track, score.CONGAS, lambda hit: congas[hit.mark](), rng, 0.75, 0.2)
    return track


def bass(rng: Random) -> Track:
    track = Track()
    intervals = {"r": 0, "f": 7, "o": 12}
    for hit in hits(score.BASS):
        root = chord_at(hit.beat).bass
        pitch = root + intervals[hit.mark] - (12 if hit.mark == "f" and root > 43 else 0)
        force = _force("X", rng) * (0.8 if hit.beat < CHORUS else 1.0)
        length_s = hit.beats * BEAT_S + (1.0 if hit.beat >= END else -0.01)
        track.add(instruments.bass(pitch, length_s, force), _about(hit.beat, rng, 0.004), force)
    return Track(band(track.samples, 35))


def _guitar_voicing(beat: float) -> tuple[int, ...]:
    chord = chord_at(beat)
    return (chord.bass + (12 if chord.bass < 40 else 0), *voicing(chord, 55, 5))


def _strum(track: Track, hit: Hit, rng: Random, pan: float) -> None:
    """All strings one after the other; up strokes are lighter and catch the high ones."""
    down = hit.mark == "D"
    strings = _guitar_voicing(hit.beat) if down else _guitar_voicing(hit.beat)[:1:-1]
    at_s, force = _about(hit.beat, rng), (1.0 if down else 0.6) * float(rng.uniform(0.85, 1.0))
    for number, pitch in enumerate(strings):
        ring_s = hit.beats * BEAT_S + (2.5 if hit.beat >= END else 0.3)
        tone = instruments.pluck(pitch, ring_s, 3_600 if down else 4_600, rng)
        track.add(tone, at_s + number * (0.011 if down else 0.008), 0.6 * force, pan)


def guitar(rng: Random) -> Track:
    """Picked in the verse; strummed in the chorus, by two players left and right."""
    track = Track()
    for hit in hits(score.GUITAR):
        if hit.mark in "DU":
            for pan in (-0.7, 0.7):
                _strum(track, hit, rng, pan)
            continue
        pitch = _guitar_voicing(hit.beat)[int(hit.mark)]
        tone = instruments.pluck(pitch, 1.5, 2_600, rng)
        track.add(tone, _about(hit.beat, rng), float(rng.uniform(0.75, 1.0)), -0.35 + 0.1 * int(hit.mark))
    return Track(band(track.samples, 90, 7_500))


def keyboard(rng: Random) -> Track:
    """Electric piano chords that pan slowly from side to side."""
    track = Track()
    for hit in hits(score.KEYBOARD):
        force = _force(hit.mark, rng)
        for pitch in voicing(chord_at(hit.beat), 58, 4):
            length_s = hit.beats * BEAT_S + (1.2 if hit.beat >= END else 0.05)
            tone = instruments.electric_piano(pitch, length_s, force * float(rng.uniform(0.9, 1.0)))
            track.add(tone, _about(hit.beat, rng, 0.005), force * 0.4)
    sway = 0.25 * np.sin(2 * np.pi * np.arange(LENGTH) / RATE / BAR_S * 2)
    return Track(track.samples * np.stack([1 - sway, 1 + sway]))


def strings(rng: Random) -> Track:
    track = Track()
    for hit in hits(score.STRINGS):
        low, *high = voicing(chord_at(hit.beat), 55, 5)
        force = 0.6 if hit.mark == "o" else 1.0
        for pitch, pan in zip((low - 12, *high), (0.5, 0.2, -0.1, -0.35, -0.6), strict=True):
            length_s = hit.beats * BEAT_S + (0.9 if hit.beat >= END else -0.05)
            track.add(
                instruments.strings(pitch, length_s, rng), _about(max(0.0, hit.beat - 0.2), rng), force, pan
            )
    return Track(band(track.samples, 110, 7_000))


def synth(rng: Random) -> Track:
    """An arpeggio whose filter opens from verse to chorus, with echoes that change sides."""
    track = Track()
    for hit in hits(score.ARPEGGIO):
        opening = 500 + 1_900 * np.clip((hit.beat - 16) / 24, 0, 1)
        pitch = voicing(chord_at(hit.beat), 67, 6)[int(hit.mark)]
        tone = instruments.arpeggio(pitch, 0.25 * BEAT_S, float(opening))
        accent = 1.0 if hit.beat % 1 == 0 else 0.75
        track.add(
            tone, _about(hit.beat, rng, 0.002), accent * float(0.5 + opening / 4_800), 0.5 * np.sin(hit.beat)
        )
    return Track(echo(track.samples, 0.75 * BEAT_S, 0.38, 4))


def fx(rng: Random) -> Track:
    """What leads from section to section."""
    track = Track()
    bells = [hertz(pitch) for pitch in (98, 95, 93, 91, 88, 86, 83, 81, 79)]
    for bar, gain in ((0, 0.7), (11.75, 0.5), (16, 0.8)):
        track.add(noises.chimes(bells, rng), bar * BAR_S, gain, 0.3)
    for bar, bars, gain in ((3, 1, 0.45), (7, 1, 0.9), (15, 1, 0.8)):
        cymbal = noises.reversed_cymbal(bars * BAR_S, rng)
        track.add(cymbal, bar * BAR_S, 0.5 * gain, -0.3)
    for bar, bars, gain in ((6, 2, 0.8), (14, 2, 0.55)):
        track.add(noises.riser(bars * BAR_S, rng), bar * BAR_S, gain)
    for bar, gain in ((8, 0.8), (16, 0.7)):
        track.add(noises.downlifter(1.2 * BAR_S, rng), bar * BAR_S, gain)
    return track


def brass(rng: Random) -> Track:
    track = Track()
    for hit in hits(score.BRASS):
        force = _force(hit.mark, rng)
        for pitch, pan in zip(voicing(chord_at(hit.beat), 57, 3), (0.45, 0.25, 0.05), strict=True):
            tone = instruments.brass(pitch, hit.beats * BEAT_S - 0.05, force, rng)
            track.add(tone, _about(hit.beat, rng, 0.005), force, pan)
    return track


def woodwinds(rng: Random) -> Track:
    track = Track()
    for note in line(score.FLUTE):
        tone = instruments.flute(note.pitch, note.beats * BEAT_S - 0.03, rng)
        track.add(tone, _about(note.beat, rng), 0.8 + 0.1 * min(note.beats, 2), -0.25)
    return track
