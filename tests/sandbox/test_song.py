"""The stored song is what the upstreams' answers claim: stems that sum to the mix, none of them empty."""

from itertools import combinations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from sandbox import song
from sandbox.song import score

RATE = 44_100


def decode(name: str) -> NDArray[np.float32]:
    """(2, samples) of one stored file."""
    with av.open(str(song.path(name))) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


@pytest.fixture(scope="module")
def audio() -> dict[str, NDArray[np.float32]]:
    return {name: decode(name) for name in song.FILES}


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The correlation of two signals."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def loudest_second_db(samples: NDArray[np.float32]) -> float:
    whole = samples[:, : samples.shape[1] // RATE * RATE].reshape(2, -1, RATE)
    return float(10 * np.log10(np.mean(whole**2, axis=(0, 2)).max()))


def test_every_file_is_stereo_and_lasts_exactly_the_named_duration(audio):
    assert {samples.shape for samples in audio.values()} == {(2, round(song.DURATION_S * RATE))}
    assert song.DURATION_S >= 30


def test_the_twelve_stems_sum_to_the_mix(audio):
    assert likeness(sum(audio[name] for name in song.STEMS), audio["mix"]) > 0.99


def test_vocals_and_instrumental_sum_to_the_mix(audio):
    assert likeness(audio["basic_vocals"] + audio["basic_instrumental"], audio["mix"]) > 0.99


def test_the_basic_vocals_are_lead_and_backing(audio):
    assert likeness(audio["vocals"] + audio["backing_vocals"], audio["basic_vocals"]) > 0.99


@pytest.mark.parametrize("name", song.STEMS)
def test_no_stem_is_silent(audio, name):
    assert loudest_second_db(audio[name]) > -45


def test_no_two_stems_are_alike(audio):
    alike = [pair for pair in combinations(song.STEMS, 2) if abs(likeness(*(audio[n] for n in pair))) > 0.2]
    assert alike == []


def test_nothing_clips(audio):
    assert {name for name, samples in audio.items() if np.max(np.abs(samples)) > 1} == set()


def test_together_the_files_stay_small():
    assert sum(song.path(name).stat().st_size for name in song.FILES) < 6_300_000


@pytest.mark.parametrize("name", ["../song", "piano", ""])
def test_only_files_of_the_song_have_a_path(name):
    with pytest.raises(ValueError, match="no file"):
        song.path(name)


def test_the_melody_meets_the_chord_on_every_strong_beat():
    strong = [note for note in score.line(score.LEAD) if note.beat % 2 == 0]
    assert [n for n in strong if n.pitch % 12 not in score.chord_at(n.beat).classes] == []


@pytest.mark.parametrize("written", [score.LEAD, score.FLUTE], ids=["lead", "flute"])
def test_a_written_line_fills_its_bars_and_stays_in_the_scale(written):
    last = score.line(written)[-1]
    assert last.beat == 16 * score.BEATS_PER_BAR
    assert {note.pitch % 12 for note in score.line(written)} <= {0, 2, 4, 6, 7, 9, 11}


def test_every_groove_divides_a_bar_evenly_and_fits_the_progression():
    grooves = [
        g
        for value in vars(score).values()
        if isinstance(value, tuple)
        for g in value
        if isinstance(g, score.Groove)
    ]
    assert grooves
    assert {len(groove.pattern) for groove in grooves} <= {8, 16}
    assert all(groove.bars.stop <= len(score.PROGRESSION) for groove in grooves)
