"""What goes with a file (picture, names), and what becomes of one that is larger than Telegram takes."""

from io import BytesIO

import pytest
from mutagen.id3 import ID3
from mutagen.mp3 import MP3

from bot.delivery import pictures
from sandbox.songs import SONGS
from sandbox.upstreams import covers
from tests.end_to_end.in_process import Bot, a_bot, command_for

SONG = SONGS[0]
TITLES = ["Paper Boats (Vocals)", "Paper Boats (Instrumental)"]
LIMIT = 400_000  # the stems of the sandbox's song have more


@pytest.fixture
async def bot(tmp_path):
    async with a_bot(tmp_path, "sunoapi_org") as bot:
        yield bot


@pytest.fixture
async def small_bot(tmp_path):
    async with a_bot(tmp_path, "sunoapi_org", upload_max_bytes=LIMIT) as bot:
        yield bot


def files(bot: Bot, command) -> list[bytes]:
    return [
        bot.sandbox.telegram.bytes_of(reply.audio.file_id) for reply in bot.replies(command) if reply.audio
    ]


async def test_the_songs_cover_is_beside_every_stem_and_in_its_tags(bot):
    ann = bot.person()
    command = await ann.say(command_for(SONG))
    await bot.ending(ann, command)
    cover = pictures.small(covers.picture(SONG.audio_id))
    shown = [reply.audio for reply in bot.replies(command) if reply.audio]
    assert [bot.sandbox.telegram.bytes_of(audio.thumbnail_file_id) for audio in shown] == [cover, cover]
    tags = [ID3(BytesIO(file)) for file in files(bot, command)]
    assert [each.getall("APIC")[0].data for each in tags] == [cover, cover]
    assert [str(each["TIT2"]) for each in tags] == TITLES
    assert [str(each["TPE1"]) for each in tags] == ["Suno", "Suno"]


async def test_what_is_too_large_is_linked_and_made_to_fit_when_asked(small_bot):
    bot, ann = small_bot, small_bot.person()
    command = await ann.say(command_for(SONG))
    assert "too large for Telegram" in await bot.ending(ann, command)
    assert files(bot, command) == []
    asked = next(reply for reply in bot.replies(command) if reply.buttons)
    await ann.press(asked, "Make it fit")
    audios = await ann.wait_for_audios(2, within_s=30)
    assert [audio.title for audio in audios] == TITLES
    made = [bot.sandbox.telegram.bytes_of(audio.file_id) for audio in audios]
    assert all(len(file) < LIMIT for file in made)
    assert [MP3(BytesIO(file)).info.length for file in made] == [pytest.approx(SONG.duration_s, abs=0.1)] * 2
    assert await bot.balance(ann) == 90
