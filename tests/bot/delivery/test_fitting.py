import asyncio

import mutagen.mp3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery import audio, fitting
from bot.delivery.audio import AudioError
from tests.bot.delivery.test_audio import write

MB = 1_000_000
RATES = [
    (240, 49 * MB, 320),
    (20 * 60, 49 * MB, 256),
    (60 * 60, 49 * MB, 96),
    (3 * 60 * 60, 49 * MB, 32),
    (4 * 60 * 60, 49 * MB, None),
    (0, 49 * MB, 320),
    (float("inf"), 49 * MB, None),
]


@pytest.mark.parametrize(("duration_s", "max_bytes", "bit_rate"), RATES)
def test_the_best_bit_rate_that_fits_is_taken(duration_s, max_bytes, bit_rate):
    assert fitting.bit_rate_for(duration_s, max_bytes) == bit_rate


@given(st.floats(1, 20_000), st.integers(1_000_000, 100_000_000))
def test_what_is_made_leaves_room_for_tags_and_is_not_made_worse_than_needed(duration_s, max_bytes):
    rate = fitting.bit_rate_for(duration_s, max_bytes)
    fitting_rates = [one for one in fitting.BIT_RATES if one * 1000 * duration_s / 8 <= 0.97 * max_bytes]
    assert rate == max(fitting_rates, default=None)


@given(st.floats(1, 20_000), st.integers(1_000_000, 100_000_000))
def test_the_size_it_will_have_is_known_before_and_fits(duration_s, max_bytes):
    size = fitting.size_for(duration_s, max_bytes)
    rate = fitting.bit_rate_for(duration_s, max_bytes) or 0
    assert rate * 125 * duration_s <= size + 1
    assert size < max_bytes


@pytest.mark.parametrize("kind", ["mp3", "wav", "flac", "m4a"])
async def test_every_kind_becomes_an_mp3_of_the_wanted_rate_and_the_same_length(tmp_path, kind):
    path, made = write(tmp_path / "in", kind, seconds=3), tmp_path / "out"
    await fitting.encode(path, made, 64)
    found = await audio.probe(made)
    assert (found.kind, found.duration_s) == ("mp3", pytest.approx(3, abs=0.1))
    assert mutagen.mp3.MP3(made).info.bitrate == pytest.approx(64_000, rel=0.01)
    assert await audio.peak_dbfs(made) == pytest.approx(await audio.peak_dbfs(path), abs=1)


async def test_what_takes_too_long_is_given_up_and_leaves_no_file(tmp_path):
    path = write(tmp_path / "in", "wav")
    with pytest.raises(AudioError, match="too long"):
        await fitting.encode(path, tmp_path / "out", 64, within_s=0)
    assert not (tmp_path / "out").exists()


async def test_what_is_no_sound_is_refused(tmp_path):
    (tmp_path / "in").write_bytes(b"ID3" + b"x" * 5000)
    with pytest.raises(AudioError):
        await fitting.encode(tmp_path / "in", tmp_path / "out", 64)
    assert not (tmp_path / "out").exists()


async def test_the_encoder_of_a_delivery_that_is_cut_off_ends_too(tmp_path):
    path = write(tmp_path / "in", "wav", seconds=60)
    encoding = asyncio.create_task(fitting.encode(path, tmp_path / "out", 320))
    await asyncio.sleep(0)
    encoding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await encoding
    await asyncio.get_running_loop().shutdown_default_executor()  # returns when its thread has ended
    assert not (tmp_path / "out").exists()
