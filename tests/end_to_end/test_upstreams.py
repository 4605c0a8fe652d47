"""Every upstream, from the chat to decoded audio, and what their oddities come to."""

import io
from functools import cache

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from providers import registry
from sandbox import song
from sandbox.songs import MORE_TASK, ODD, SONGS
from sandbox.telegram import Message, Person
from tests.end_to_end.in_process import Bot, a_bot, command_for

SONG = SONGS[0]
BASIC = ("Vocals", "Instrumental")
FULL = (
    "Vocals", "Backing Vocals", "Drums", "Bass", "Guitar", "Keyboard",
    "Percussion", "Strings", "Synth", "FX", "Brass", "Woodwinds",
)  # fmt: skip
OFFERING_FULL = tuple(name for name in registry.names if name != "suno_api")


def titled(title: str, stems: tuple[str, ...]) -> list[str]:
    return [f"{title} ({stem})" for stem in stems]


# From the chat to decoded audio


@pytest.mark.parametrize("name", registry.names)
async def test_two_stems_from_every_upstream_sum_to_the_song(tmp_path, name):
    async with a_bot(tmp_path, name) as bot:
        ann = bot.person()
        command = await ann.say(command_for(SONG))
        assert "Delivered: Vocals, Instrumental.\n10 credits paid · balance 90" in await bot.ending(
            ann, command
        )
        assert bot.titles(command) == titled(SONG.title, BASIC)
        assert_they_sum_to_the_song(bot, command)
        assert bot.charges() == {name: 1}


@pytest.mark.parametrize("name", OFFERING_FULL)
async def test_the_full_set_from_every_upstream_that_has_it_sums_to_the_song(tmp_path, name):
    async with a_bot(tmp_path, name) as bot:
        ann = bot.person()
        command = await ann.say(command_for(SONG, "full"), bot.band(ann))
        await bot.ended()
        assert await bot.balance(ann) == 50
        assert bot.titles(command) == titled(SONG.title, FULL)
        assert_they_sum_to_the_song(bot, command)
        assert bot.charges() == {name: 1}


def assert_they_sum_to_the_song(bot: Bot, command: Message) -> None:
    files = [message.audio.file_id for message in bot.replies(command) if message.audio]
    together = sum(decode(bot.sandbox.telegram.bytes_of(file_id)) for file_id in files)
    assert together.shape == the_mix().shape
    assert np.corrcoef(together.ravel(), the_mix().ravel())[0, 1] > 0.99


@cache
def the_mix() -> NDArray[np.float32]:
    return decode(song.path("mix").read_bytes())


def decode(content: bytes) -> NDArray[np.float32]:
    with av.open(io.BytesIO(content)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


# suno_api makes two stems only


async def test_where_the_first_has_no_full_set_another_makes_it(tmp_path):
    async with a_bot(tmp_path, "suno_api,kie") as bot:
        ann, ben = bot.person("Ann"), bot.person("Ben")
        basic, full = (
            await ann.say(command_for(SONG)),
            await ben.say(command_for(SONG, "full"), bot.band(ben)),
        )
        await bot.ended(1)
        await bot.ended(2)
        assert [len(bot.titles(basic)), len(bot.titles(full))] == [2, 12]
        assert bot.charges() == {"suno_api": 1, "kie": 1}


async def test_where_nobody_has_a_full_set_that_is_said_and_nothing_else(tmp_path):
    async with a_bot(tmp_path, "suno_api") as bot:
        ann = bot.person()
        command = await ann.say(command_for(SONG, "full"))
        answer = await ann.wait_for_text("suno-api", after=command)
        assert answer.text.startswith("suno-api splits a song into vocals and instrumental only. Nothing was")
        assert "task id" not in answer.text  # it would not help
        assert await bot.entries(ann) == []
        assert bot.charges() == {}


async def test_where_nobody_has_a_full_set_everything_else_works(tmp_path):
    async with a_bot(tmp_path, "suno_api") as bot:
        ann = bot.person()
        for command in ("/start", "/help", "/credits"):
            answer = await ann.wait_for_text("ocals + instrumental", after=await ann.say(command))
            assert "10" in answer.text


async def test_where_nobody_has_a_full_set_a_link_offers_two_stems(tmp_path):
    async with a_bot(tmp_path, "suno_api") as bot:
        ann = bot.person()
        link = await ann.say(f"https://suno.com/song/{SONG.audio_id}")
        offer = await ann.wait_for_text(SONG.audio_id, within_s=5, after=link)
        assert [button["text"] for button in offer.buttons] == ["Vocals + instrumental · 10"]
        await ann.press(offer, "Vocals")
        assert [audio.title for audio in await ann.wait_for_audios(2)] == titled(SONG.title, BASIC)


# What a song needs to be found


async def test_apikley_alone_says_in_one_sentence_that_it_needs_the_pair(tmp_path):
    async with a_bot(tmp_path, "apikley") as bot:
        ann = bot.person()
        command = await ann.say(f"/stems {SONG.audio_id}")
        answer = await ann.wait_for_text("apikley.ru", after=command)
        assert "needs the song's task id too: send <task_id>:<audio_id>" in answer.text
        assert answer.text.lower().count("send ") == 1
        assert bot.charges() == {}


async def test_a_pair_once_delivered_is_remembered(tmp_path):
    async with a_bot(tmp_path, "apikley") as bot:
        ann, ben = bot.person("Ann"), bot.person("Ben")
        assert "Delivered" in await bot.ending(ann, await ann.say(command_for(SONG)))
        command = await ben.say(f"/stems {SONG.audio_id} full", bot.band(ben))
        await bot.ended(2)
        assert len(bot.titles(command)) == 12
        assert bot.charges() == {"apikley": 2}


async def test_a_pair_that_was_refused_is_not_remembered(tmp_path):
    async with a_bot(tmp_path, "apikley") as bot:
        ann = bot.person()
        refused = await ann.say(f"/stems {'0' * 32}:{SONG.audio_id}")
        assert "does not know this song" in await bot.ending(ann, refused)
        command = await ann.say(f"/stems {SONG.audio_id}")
        await ann.wait_for_text("needs the song's task id", after=command)


@pytest.mark.parametrize("name", ["sunoapi_com", "suno_api"])
async def test_a_song_without_its_task_gets_the_title_that_the_upstream_tells(tmp_path, name):
    async with a_bot(tmp_path, name) as bot:
        ann = bot.person()
        command = await ann.say(f"/stems {SONG.audio_id}")
        assert (await bot.ending(ann, command)).startswith(f"{SONG.title}\n")
        assert bot.titles(command) == titled(SONG.title, BASIC)


@pytest.mark.parametrize("name", ["kie", "sunoapi_com"])
async def test_a_bare_task_lists_its_songs_and_a_press_delivers_one(tmp_path, name):
    async with a_bot(tmp_path, name) as bot:
        ann = bot.person()
        command = await ann.say(f"/stems {MORE_TASK}")
        listed = await ann.wait_for_text("Which song", after=command)
        length = f"{int(song.DURATION_S) // 60}:{int(song.DURATION_S) % 60:02d}"
        expected = [f"{known.title} · {length}" for known in SONGS if known.task_id == MORE_TASK]
        assert [button["text"] for button in listed.buttons][:5] == expected[:5]
        assert len(listed.buttons) == len(expected)
        await ann.press(listed, "Copper Moon")
        audios = await ann.wait_for_audios(2)
        assert [audio.title for audio in audios] == titled("Copper Moon", BASIC)
        assert [submit.song.title for submit in bot.upstream(name).submits] == ["Copper Moon"]


# Prices


async def test_each_upstream_has_its_own_prices(tmp_path):
    async with a_bot(tmp_path, "suno_api,sunoapi_com", sunoapi_com_price_full="7") as bot:
        ann, ben = bot.person("Ann"), bot.person("Ben")
        assert "10 · Full set, up to 12 stems: 7" in await said(ann, "/credits", "You have")
        assert "7 credits" in await said(ann, "/help", "I split")
        offer = await ann.wait_for_text("7 credits", after=await ann.say(SONG.audio_id))
        assert [button["text"] for button in offer.buttons][1] == "Full set, up to 12 stems · 7"
        band = bot.band(ben)
        command = await ben.say(command_for(SONG, "full"), band)
        await ben.wait_for_text("7 credits, set aside", chat=band, after=command)
        await bot.ended()
        assert await bot.balance(ben) == 93


async def said(person: Person, text: str, answer: str) -> str:
    return (await person.wait_for_text(answer, after=await person.say(text))).text


# Odd answers


async def test_links_count_more_than_a_word_that_says_failed(tmp_path):
    async with a_bot(tmp_path, "sunoapi_org") as bot:
        ann, odd = bot.person(), ODD["callback_exception"]
        command = await ann.say(command_for(odd))
        assert "10 credits paid" in await bot.ending(ann, command)
        assert bot.titles(command) == titled(odd.title, BASIC)


@pytest.mark.parametrize("name", ["kie", "sunoapi_com"])
async def test_success_without_a_link_is_a_failure_that_costs_nothing(tmp_path, name):
    async with a_bot(tmp_path, name) as bot:
        ann, odd = bot.person(), ODD["success_without_links"]
        command = await ann.say(command_for(odd))
        told = await bot.ending(ann, command)
        assert "No stems" in told
        assert "Nothing was charged · balance 100" in told
        assert bot.titles(command) == []
        assert bot.charges() == {name: 1}


async def test_of_24_clips_each_stem_is_sent_once_and_the_second_set_is_offered(tmp_path):
    async with a_bot(tmp_path, "sunoapi_com") as bot:
        ann, odd = bot.person(), ODD["two_sets"]
        band = bot.band(ann)
        command = await ann.say(command_for(odd, "full"), band)
        status = await ann.wait_for_text("50 credits paid · balance 50", chat=band, within_s=20)
        assert bot.titles(command) == titled(odd.title, FULL)
        assert "Second set" in [button["text"] for button in status.buttons]


async def test_the_second_set_costs_nothing_and_is_told_apart(tmp_path):
    async with a_bot(tmp_path, "sunoapi_com") as bot:
        ann, odd = bot.person(), ODD["two_sets"]
        await ann.say(command_for(odd))
        status = await ann.wait_for_text("10 credits paid · balance 90")
        await ann.press(status, "Second set")
        audios = await ann.wait_for_audios(4)
        assert [audio.title for audio in audios[2:]] == titled(odd.title, ("Vocals 2", "Instrumental 2"))
        assert len({audio.file_name for audio in audios}) == 4
        await bot.ended(2)
        assert await bot.balance(ann) == 90
        assert bot.charges() == {"sunoapi_com": 1}


async def test_an_instrument_nobody_documented_has_a_readable_name(tmp_path):
    async with a_bot(tmp_path, "sunoapi_com") as bot:
        ann, odd = bot.person(), ODD["kazoo"]
        command = await ann.say(command_for(odd, "full"), bot.band(ann))
        await bot.ended()
        assert bot.titles(command) == titled(odd.title, (*FULL, "Kazoo"))
        files = [message.audio.file_name for message in bot.replies(command) if message.audio]
        assert files[-1] == f"{odd.title} (Kazoo).mp3"


COMES_TO = {
    "unknown_status": "Delivered: Vocals, Instrumental",
    "late_record": "Delivered: Vocals, Instrumental",
    "spaces": "Delivered: Vocals, Instrumental",
    "code_as_text": "Delivered: Vocals, Instrumental",
    "task_in_list": "Delivered: Vocals, Instrumental",
    "looks_fail": "Delivered: Vocals, Instrumental",
    "generation_failed": "could not separate this song",
    "error_with_link": "could not separate this song",
    "no_source": "can't get at it",
}


async def test_every_odd_answer_comes_to_an_end(tmp_path):
    async with a_bot(tmp_path, "kie") as bot:
        people = {odd: bot.person(odd) for odd in COMES_TO}
        commands = {odd: await person.say(command_for(ODD[odd])) for odd, person in people.items()}
        await bot.all_end(len(people))
        for odd, person in people.items():
            told = await bot.ending(person, commands[odd])
            assert COMES_TO[odd] in told
            assert "SECRET" not in told
