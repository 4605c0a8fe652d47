"""Delivering: albums, then singles, then links; and every way in which Telegram or a download can refuse."""

import httpx
import pytest

from bot.delivery.fetch import Fetcher
from providers.stems import rank
from storage.states import JobState as J
from tests.bot.telegram_stand_in import (
    BAD_ALBUM,
    BAD_FILE_ID,
    FINE,
    REFUSED,
    TOO_BIG,
    TOO_FAST,
)
from tests.bot.upstream_stand_in import silence
from tests.bot.world import ANN, BAND, BOB, SONG

BASIC_TITLES = ["Paper Boats (Vocals)", "Paper Boats (Instrumental)"]
NEW_BAND = -1009
FILES = ("sendAudio", "sendDocument", "sendMediaGroup")


async def links_in(world, chat_id=ANN):
    return [text for text in world.telegram.texts_in(chat_id) if "href=" in text]


async def test_nothing_is_delivered_before_the_job_is_acknowledged(world):
    await world.say(f"/stems {SONG}")
    await world.steps("submit")
    world.clock.forward(15)
    await world.steps("look")
    assert not await world.step("deliver")
    await world.steps("status", "deliver")
    assert [call.method for call in world.telegram.sent] == ["sendMessage", "sendMediaGroup"]


async def test_two_stems_are_one_album_in_reply_to_the_command(ready):
    world = await ready()
    await world.steps("deliver")
    (album,) = world.telegram.called("sendMediaGroup")
    assert album.data["reply_parameters"]["message_id"] == 1
    assert album.data["reply_parameters"]["allow_sending_without_reply"] is True
    assert [item["title"] for item in album.data["media"]] == BASIC_TITLES
    assert album.files == tuple(f"{title}.mp3" for title in BASIC_TITLES)
    assert (await world.job()).state is J.DELIVERED


async def test_twelve_stems_are_two_albums_of_six_in_their_order(ready):
    world = await ready("full")
    await world.steps("deliver")
    first, second = world.telegram.called("sendMediaGroup")
    assert (len(first.files), len(second.files)) == (6, 6)
    stems = await world.stems()
    labels = [
        title.removeprefix("Paper Boats (").removesuffix(")") for title in world.telegram.titles_in(ANN)
    ]
    assert labels == [name.replace("_", " ").title().replace("Fx", "FX") for name in sorted(stems, key=rank)]
    assert first.data["media"][0]["caption"] == "Paper Boats · 1–6 of 12"
    assert second.data["media"][0]["caption"] == "Paper Boats · 7–12 of 12"


async def test_a_lone_stem_goes_alone(ready, world):
    world.provider.stems = ["vocals"]
    await ready()
    await world.steps("deliver")
    assert [call.method for call in world.telegram.called(*FILES)] == ["sendAudio"]


async def test_it_goes_to_the_topic_that_asked(ready, world):
    await ready(chat_id=BAND, message_thread_id=7, is_topic_message=True)
    await world.steps("deliver")
    assert {call.data["message_thread_id"] for call in world.telegram.sent} == {7}


async def test_one_chat_gets_one_delivery_at_a_time(world):
    for number, who in enumerate((ANN, BOB)):
        await world.say(f"/stems {SONG[:-1]}{number}", by=who, chat_id=BAND)
    await world.run_until_idle()
    albums = [call.data["reply_parameters"]["message_id"] for call in world.telegram.called(*FILES)]
    assert sorted(albums) == albums


# What Telegram keeps


async def test_what_telegram_keeps_is_sent_again_without_a_download(ready, world):
    await ready()
    await world.run_until_idle()
    await world.press("Send again")
    await world.run_until_idle()
    assert len(world.files.fetched) == 2
    assert world.telegram.titles_in(ANN) == BASIC_TITLES * 2
    assert world.telegram.called("sendMediaGroup")[1].files == ()


async def test_a_refused_file_id_is_uploaded_again(ready, world):
    await ready()
    await world.run_until_idle()
    world.telegram.forget_files()
    await world.press("Send again")
    await world.run_until_idle()
    assert [len(call.files) for call in world.telegram.called("sendMediaGroup")] == [2, 0, 2]
    assert len(world.files.fetched) == 4


# The ladder: album, singles, links


async def test_a_refused_album_goes_as_singles_before_what_comes_after_it(ready, world):
    await ready("full")
    world.telegram.fail("sendMediaGroup", BAD_ALBUM)
    await world.steps("deliver")
    sizes = [max(len(call.files), 1) for call in world.telegram.called(*FILES)]
    assert sizes == [6, 1, 1, 1, 1, 1, 1, 6]
    assert len(world.telegram.titles_in(ANN)) == 12
    assert len(set(world.telegram.titles_in(ANN))) == 12


async def test_a_refused_single_goes_as_a_link_at_the_end(ready, world):
    await ready()
    world.telegram.fail("sendMediaGroup", TOO_BIG)
    world.telegram.fail("sendAudio", TOO_BIG)
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == BASIC_TITLES[1:]
    (links,) = await links_in(world)
    assert "vocals.mp3" in links
    assert "instrumental.mp3" not in links
    assert (await world.job()).state is J.DELIVERED


async def test_where_no_file_can_go_there_is_one_message_of_links(ready, world):
    await ready("full")
    for method in FILES:
        world.telegram.fail_always(method, REFUSED)
    await world.run_until_idle()
    (links,) = await links_in(world)
    assert links.count("href=") == 12
    assert links.index("Voice") < links.index("Rhythm") < links.index("Band")
    assert "January 2027" in links
    assert world.telegram.called("sendMessage")[-1].data["link_preview_options"]["is_disabled"] is True
    assert (await world.job()).state is J.DELIVERED


async def test_when_even_the_links_are_refused_nothing_is_charged(ready, world):
    await ready()
    for method in (*FILES, "sendMessage"):
        world.telegram.fail_always(method, REFUSED)
    await world.run_until_idle()
    assert (await world.job()).state is J.FAILED
    assert await world.balance() == 100


async def test_refused_links_do_not_undo_the_files_that_are_there(ready, world):
    await ready()
    world.telegram.fail("sendMediaGroup", BAD_ALBUM)
    world.telegram.fail("sendAudio", REFUSED)
    world.telegram.fail("sendMessage", REFUSED)
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == BASIC_TITLES[1:]
    assert (await world.job()).state is J.DELIVERED


# Downloads


async def test_a_link_that_is_dead_is_told_and_the_rest_is_sent(ready, world):
    world.files.answers["bass"] = 404
    await ready("full")
    await world.run_until_idle()
    assert len(world.telegram.titles_in(ANN)) == 11
    assert await links_in(world) == []
    assert "Could not be sent: Bass" in world.status_text()
    assert (await world.job()).state is J.DELIVERED


async def test_dead_links_of_both_albums_stay_dead(ready, world):
    world.files.answers |= {"vocals": 404, "woodwinds": 410}
    await ready("full")
    await world.run_until_idle()
    assert len(world.telegram.titles_in(ANN)) == 10
    assert await links_in(world) == []


async def test_a_dead_link_stays_dead_when_a_later_album_is_refused(ready, world):
    world.files.answers["vocals"] = 404
    await ready("full")
    world.telegram.fail("sendMediaGroup", FINE, BAD_ALBUM)
    await world.run_until_idle()
    assert len(world.telegram.titles_in(ANN)) == 11
    assert await links_in(world) == []


async def test_when_every_link_is_dead_nothing_is_charged(ready, world):
    world.files.answers |= {"vocals": 410, "instrumental": 404}
    await ready()
    await world.run_until_idle()
    assert (await world.job()).state is J.FAILED
    assert await world.balance() == 100


async def test_a_link_that_is_refused_again_and_again_is_dead(ready, world):
    world.files.answers |= {"vocals": 403, "instrumental": 401}
    await ready()
    await world.run_until_idle()
    assert (await world.job()).state is J.FAILED
    assert await links_in(world) == []
    assert await world.balance() == 100


@pytest.mark.parametrize("trouble", [httpx.ConnectError("reset"), 503, 403])
async def test_a_broken_download_is_tried_again(ready, world, trouble):
    world.files.answers["vocals"] = trouble
    await ready()
    await world.steps("deliver")
    assert world.telegram.called(*FILES) == []
    del world.files.answers["vocals"]
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == BASIC_TITLES


async def test_a_download_that_stays_broken_becomes_a_link(ready, world):
    world.files.answers["vocals"] = 503
    await ready()
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == BASIC_TITLES[1:]
    assert "vocals.mp3" in (await links_in(world))[0]
    assert (await world.job()).state is J.DELIVERED


async def test_when_every_download_stays_broken_there_are_links(ready, world):
    world.files.answers |= {"vocals": 503, "instrumental": 503}
    await ready()
    await world.run_until_idle()
    assert (await links_in(world))[0].count("href=") == 2
    assert (await world.job()).state is J.DELIVERED


async def test_when_nothing_behind_the_links_is_audio_there_are_links(ready, world):
    world.files.answers |= dict.fromkeys(("vocals", "instrumental"), b"<html>sign in</html>" * 10)
    await ready()
    await world.run_until_idle()
    assert (await links_in(world))[0].count("href=") == 2
    assert (await world.job()).state is J.DELIVERED


async def test_what_is_not_audio_becomes_a_link(ready, world):
    world.files.answers["vocals"] = b"<html>sign in</html>" * 10
    await ready()
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == BASIC_TITLES[1:]
    assert len(await links_in(world)) == 1


@pytest.fixture
async def disk_full(ready, world, tmp_path):
    """Ann's stems are separated, and there is no room for them here."""
    async with Fetcher(tmp_path, transport=httpx.MockTransport(world.files), keep_free_bytes=1 << 60) as full:
        roomy, world.services.fetcher = world.services.fetcher, full
        await ready()
        yield world
        world.services.fetcher = roomy


async def test_without_room_on_the_disk_telegram_fetches_them_itself(disk_full):
    await disk_full.run_until_idle()
    sent = [call.data["audio"] for call in disk_full.telegram.called("sendAudio")]
    assert sent == ["https://files.example/1/vocals.mp3", "https://files.example/1/instrumental.mp3"]
    assert (await disk_full.job()).state is J.DELIVERED


async def test_what_telegram_cannot_fetch_either_becomes_a_link(disk_full):
    disk_full.telegram.fail_always("sendAudio", BAD_FILE_ID)
    await disk_full.run_until_idle()
    assert (await links_in(disk_full))[0].count("href=") == 2
    assert (await disk_full.job()).state is J.DELIVERED


async def test_a_silent_stem_is_left_out_and_told(ready, world):
    world.files.answers["strings"] = silence()
    await ready("full")
    await world.run_until_idle()
    assert len(world.telegram.titles_in(ANN)) == 11
    assert "Nothing to hear in this song: Strings" in world.status_text()


async def test_a_song_without_a_sound_is_sent_all_the_same(ready, world):
    world.files.answers |= dict.fromkeys(("vocals", "instrumental"), silence())
    await ready()
    await world.run_until_idle()
    assert len(world.telegram.titles_in(ANN)) == 2
    assert (await world.job()).state is J.DELIVERED


async def test_no_download_is_left_on_the_disk(ready, world, tmp_path):
    await ready("full")
    world.telegram.fail("sendMediaGroup", BAD_ALBUM, TOO_FAST)
    await world.run_until_idle()
    assert [path for path in tmp_path.iterdir() if path.name.startswith("stembot-")] == []
