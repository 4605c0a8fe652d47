"""What is played: tempo, chords, melodies and rhythms, as text that can be read and changed. No sound here.

A line is ``pitch/beats`` words with ``_`` for rests; sung ones end in ``=syllable``. A groove is a bar of
equal steps: a mark starts a hit, ``-`` holds it, ``.`` is silence. Bars count from 0: the verse is 0 to 7,
the chorus 8 to 15, the end 16.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BEAT_S = 60 / 106
BEATS_PER_BAR = 4
BAR_S = BEATS_PER_BAR * BEAT_S

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_WORD = re.compile(
    r"(?P<pitch>_|[A-G]#?\d)/(?P<beats>[\d.]+)(=(?P<consonant>[^aeiou]*)(?P<vowels>[aeiou]+))?"
)


@dataclass(frozen=True)
class Note:
    """A tone of a line; ``pitch`` is a MIDI number, times are in beats from the start of the song."""

    beat: float
    beats: float
    pitch: int
    consonant: str = ""
    vowels: str = ""


@dataclass(frozen=True)
class Hit:
    """One event of a groove, ``mark`` says how or what is played."""

    beat: float
    beats: float
    mark: str


@dataclass(frozen=True)
class Groove:
    bars: range
    pattern: str


@dataclass(frozen=True)
class Chord:
    """``bass`` is a MIDI number, ``classes`` the pitch classes (C is 0)."""

    bass: int
    classes: tuple[int, ...]


CHORDS = {
    "G": Chord(43, (7, 11, 2)),
    "Gadd9": Chord(43, (7, 9, 11, 2)),
    "D/F#": Chord(42, (2, 6, 9)),
    "Em7": Chord(40, (4, 7, 11, 2)),
    "Cmaj7": Chord(36, (0, 4, 7, 11)),
    "Am7": Chord(45, (9, 0, 4, 7)),
    "Dsus4": Chord(38, (2, 7, 9)),
    "D": Chord(38, (2, 6, 9)),
    "D7": Chord(38, (2, 6, 9, 0)),
    "Bm7": Chord(47, (11, 2, 6, 9)),
}

# One word a bar; "|" shares a bar between two chords.
VERSE_CHORDS = ("G", "D/F#", "Em7", "Cmaj7", "G", "D/F#", "Am7", "Dsus4|D")
CHORUS_CHORDS = ("Cmaj7", "D", "Bm7", "Em7", "Am7", "D7", "G", "Cmaj7|D7")
PROGRESSION = (*VERSE_CHORDS, *CHORUS_CHORDS, "Gadd9")

LEAD = """
_/.5 D4/.5=pei G4/.5=pe A4/.5=la B4/1.5=te A4/.5=no
A4/1.5=wo F#4/.5=te D4/1.5=ra E4/.5=da
G4/.5=so F#4/.5=li E4/.5=tu G4/.5=la B4/1=lai A4/.5=ta G4/.5=te
G4/2.5=nai _/1.5
_/.5 D4/.5=ho G4/.5=lo A4/.5=nu B4/1.5=mai C5/.5=wi
D5/1=tei A4/1=la A4/.5=to B4/.5=we A4/1=re
C5/1=lei B4/.5=te A4/.5=mi G4/1=so E4/.5=li G4/.5=ta
A4/2=dou _/1 B4/.5=so D5/.5=ra
E5/1.5=lai D5/.5=ti B4/1=mai G4/.5=we B4/.5=to
D5/1=hou A4/.5=ma B4/.5=ni A4/1=nou F#4/.5=wi A4/.5=ta
D5/1.5=lai C5/.5=to B4/1=nai A4/.5=lo F#4/.5=na
G4/.5=mei A4/.5=be B4/2=lou _/.5 B4/.5=so
C5/1=rai C5/.5=te B4/.5=ra A4/1=lou G4/.5=no A4/.5=wi
A4/.5=ta B4/.5=re C5/.5=di D5/.5=to D5/1=so C5/.5=le A4/.5=na
B4/2.5=lou _/1 D5/.5=so
E5/1=lai D5/.5=te B4/.5=ra A4/1.5=mou A4/.5=wa
G4/3.5=hou
"""

FLUTE = """
_/12    _/1.5 E5/.5 G5/.5 B5/.5 A5/.5 G5/.5
G5/1.5 _/2.5    _/2 F#5/1 G5/.5 A5/.5    A5/1.5 G5/.5 E5/2    F#5/1 _/.5 A5/.5 B5/.5 C6/.5 D6/1
_/12    _/1 G5/.5 A5/.5 B5/1 D6/.5 B5/.5
C6/1.5 _/2.5    _/2 F#5/.5 G5/.5 A5/.5 C6/.5    B5/1 _/.5 D5/.5 G5/.5 A5/.5 B5/.5 D6/.5    G5/2 F#5/1.5 A5/.5
B5/3.5
"""

# X accent, x normal, o soft.
KICK = (
    Groove(range(2, 4), "X.......x......."),
    Groove(range(4, 7), "X.....x.x......."),
    Groove(range(7, 8), "X.......x......."),
    Groove(range(8, 15), "X..x..x.x.....x."),
    Groove(range(15, 16), "X.....x.x......."),
    Groove(range(16, 17), "X..............."),
)
SNARE = (
    Groove(range(4, 7), "....x.......x..o"),
    Groove(range(7, 8), "....x.....x.xxXX"),
    Groove(range(8, 15), "....X..o.o..X..o"),
    Groove(range(15, 16), "....X...x.x.XxXX"),
)
HAT = (
    Groove(range(2, 4), "..o...o...o...o."),
    Groove(range(4, 7), "x.o.x.o.x.o.x.o."),
    Groove(range(8, 15), "xoxoXoxoxoxoXoxo"),
)
OPEN_HAT = (Groove(range(5, 7), "..............x."), Groove(range(8, 15), "......x.......x."))
TOMS = (Groove(range(7, 8), "........h.m..l.."), Groove(range(15, 16), "......h.h.m.m.l."))
CRASH = (
    Groove(range(8, 9), "X..............."),
    Groove(range(12, 13), "x..............."),
    Groove(range(16, 17), "X..............."),
)
SHAKER = (
    Groove(range(4), "o.x.o.x.o.x.o.x."),
    Groove(range(4, 8), "xoXoxoXoxoXoxoXo"),
    Groove(range(8, 16), "xoXoxoXoxoXoxoXo"),
)
TAMBOURINE = (Groove(range(8, 16), "....X.o.....X.oo"), Groove(range(16, 17), "X..............."))
# l and h are the two drums, s a slap.
CONGAS = (Groove(range(4, 7), "l..h..s.l..hh.s."), Groove(range(8, 15), "l.sh..s.l.shh.s."))

# r root, f fifth, o octave.
BASS = (
    Groove(range(1, 2), "........r-----o-"),
    Groove(range(2, 4), "r-----r-r-----f-"),
    Groove(range(4, 7), "r----.r-r---o-f-"),
    Groove(range(7, 8), "r------.r-.r-r-."),
    Groove(range(8, 15), "r-.r-.r-r-.o-.f-"),
    Groove(range(15, 16), "r-.r-.r-r-.r-ro-"),
    Groove(range(16, 17), "r---------------"),
)
# Digits pick a string of the voicing, D and U strum it.
GUITAR = (
    Groove(range(4), "02143241"),
    Groove(range(4, 7), "02143243"),
    Groove(range(7, 8), "D--UD-DU"),
    Groove(range(8, 15), "D-DU-UDU"),
    Groove(range(15, 16), "D-DUDUDU"),
    Groove(range(16, 17), "D-------"),
)
KEYBOARD = (
    Groove(range(4), "X--------------."),
    Groove(range(4, 8), "X----.x-o-----x-"),
    Groove(range(8, 16), "X--.x--.x-..x---"),
    Groove(range(16, 17), "X---------------"),
)
PAD = (
    Groove(range(4, 7), "x-------"),
    Groove(range(7, 8), "x---x---"),
    Groove(range(8, 15), "x-------"),
    Groove(range(15, 16), "x---x---"),
    Groove(range(16, 17), "x-------"),
)
STRINGS = (Groove(range(6, 7), "o-------"), *PAD[1:])
# Digits climb the chord.
ARPEGGIO = (
    Groove(range(4, 8), "0.2.4.3.2.4.3.1."),
    Groove(range(8, 16), "0241350242531453"),
    Groove(range(16, 17), "0.2.4.5........."),
)
BRASS = (
    Groove(range(8, 11), "X-.....x-......."),
    Groove(range(11, 12), "X-......x-x-X---"),
    Groove(range(12, 13), "X-.....x-......."),
    Groove(range(13, 14), "x-------X-----.."),
    Groove(range(14, 15), "X-.....x-.....x-"),
    Groove(range(15, 16), "X------.X-----x-"),
    Groove(range(16, 17), "X---------------"),
)


def midi(name: str) -> int:
    """``"A4"`` -> 69."""
    return _SEMITONES[name[0]] + name.count("#") + 12 * (int(name[-1]) + 1)


def line(text: str) -> tuple[Note, ...]:
    """The tones of a written line, one after the other from beat 0."""
    notes, beat = [], 0.0
    for word in _WORD.finditer(text):
        beats = float(word["beats"])
        if word["pitch"] != "_":
            notes.append(
                Note(beat, beats, midi(word["pitch"]), word["consonant"] or "", word["vowels"] or "")
            )
        beat += beats
    return tuple(notes)


def hits(grooves: tuple[Groove, ...]) -> Iterator[Hit]:
    """Every hit of these grooves in the order of their bars."""
    for groove in grooves:
        step = BEATS_PER_BAR / len(groove.pattern)
        for bar in groove.bars:
            for found in re.finditer(r"[^.-]-*", groove.pattern):
                start = bar * BEATS_PER_BAR + found.start() * step
                yield Hit(start, len(found[0]) * step, found[0][0])


def chord_at(beat: float) -> Chord:
    """The chord that sounds at a beat; the last one rings on."""
    bar, inside = divmod(beat, BEATS_PER_BAR)
    names = PROGRESSION[min(int(bar), len(PROGRESSION) - 1)].split("|")
    return CHORDS[names[int(inside * len(names) / BEATS_PER_BAR)]]


def voicing(chord: Chord, low: int, count: int) -> tuple[int, ...]:
    """The lowest ``count`` tones of a chord at or above a MIDI pitch: neighbouring chords move little."""
    tones = (pitch for pitch in range(low, low + 60) if pitch % 12 in chord.classes)
    return tuple(pitch for pitch, _ in zip(tones, range(count), strict=False))
