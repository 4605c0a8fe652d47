"""The files as Telegram got them: tags by another library, lengths and names; and links where none can go."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from mutagen.mp3 import MP3

from sandbox import song
from sandbox.songs import SONGS
from sandbox.telegram import faults
from tests.end_to_end.in_process import Bot, a_bot, as_answer, command_for

SONG = SONGS[0]
NAMES = [
    "Vocals", "Backing Vocals", "Drums", "Bass", "Guitar", "Keyboard",
    "Percussion", "Strings", "Synth", "FX", "Brass", "Woodwinds",
]  # fmt: skip

GROUPED = """
Voice
Vocals
Backing Vocals

Rhythm
Drums
Bass
Percussion

Band
Guitar
Keyboard
Synth

Orchestra
Strings
Brass
Woodwinds

Other
FX
"""
LINKS_LIVE_S = 14 * 86_400


@pytest.fixture
async def bot(tmp_path) -> AsyncIterator[Bot]:
    async with a_bot(tmp_path, "sunoapi_org") as bot:
        yield bot


async def test_every_file_says_by_itself_what_it_is(bot):
    ann = bot.person()
    await ann.say(command_for(SONG, "full"))
    audios = await ann.wait_for_audios(12, within_s=20)
    files = [MP3(io.BytesIO(bot.sandbox.telegram.bytes_of(audio.file_id))) for audio in audios]
    titles = [f"{SONG.title} ({name})" for name in NAMES]
    assert [text_of(file, "TIT2") for file in files] == titles
    assert [text_of(file, "TRCK") for file in files] == [f"{place}/12" for place in range(1, 13)]
    assert {text_of(file, "TALB") for file in files} == {SONG.title}
    assert all(text_of(file, "TPE1") for file in files)
    assert [audio.title for audio in audios] == titles
    assert [audio.file_name for audio in audios] == [f"{title}.mp3" for title in titles]
    assert [audio.performer for audio in audios] == [text_of(file, "TPE1") for file in files]
    assert [audio.duration for audio in audios] == [round(file.info.length) for file in files]
    assert all(file.info.length == pytest.approx(song.DURATION_S, abs=0.1) for file in files)


async def test_where_telegram_refuses_every_file_all_stems_come_as_links_in_one_message(bot):
    ann, refusal = bot.person(), faults.error(400, "Bad Request: file is too big")
    for method in ("sendMediaGroup", "sendAudio", "sendDocument"):
        bot.sandbox.telegram.fail_next(method, refusal, times=100)
    asked_at, command = bot.clock(), await ann.say(command_for(SONG, "full"))
    await bot.passes_until(lambda: as_answer(bot.last_form(command)))
    (message,) = [reply for reply in bot.replies(command) if "as links" in reply.text]
    assert GROUPED in message.text
    # The day may have changed meanwhile.
    ends = [datetime.fromtimestamp(at + LINKS_LIVE_S, UTC) for at in (asked_at, bot.clock())]
    assert any(f"work until {end:%-d %B %Y}" in message.text for end in ends)
    links = [entity for entity in message.formatted.entities if entity.type == "text_link"]
    behind = {message.text[link.offset : link.offset + link.length]: link.url for link in links}
    assert behind.keys() == set(NAMES)
    assert all(url.endswith(f"_{name.replace(' ', '_')}.mp3") for name, url in behind.items())
    assert bot.titles(command) == []


def text_of(file: MP3, name: str) -> str:
    return str(file.tags.get(name, ""))
