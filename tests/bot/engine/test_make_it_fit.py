"""Stems that are larger than what Telegram takes: links at first, smaller files for whoever asks."""

import pytest

from storage.states import JobState as J
from tests.bot.delivery.test_audio import write
from tests.bot.telegram_stand_in import ANSWER_LOST, BAD_ALBUM, BAD_FILE_ID, REFUSED
from tests.bot.world import ANN, BAND, BOB, SONG

LIMIT = 40_000
VOCALS, BASS = "Paper Boats (Vocals)", "Paper Boats (Bass)"


@pytest.fixture
def large_audio(tmp_path):
    """Four seconds as a WAV."""
    return write(tmp_path / "large", "wav", seconds=4).read_bytes()


@pytest.fixture
def small_telegram(world, large_audio):
    """It takes no more than LIMIT bytes; the vocals are larger, and nothing else."""
    world.services.upload_max_bytes = LIMIT
    world.files.answers["vocals"] = large_audio
    return world


@pytest.fixture
async def linked(small_telegram):
    """The vocals came as a link, the rest as files."""
    await small_telegram.say(f"/stems {SONG} full")
    await small_telegram.run_until_idle()
    return small_telegram


def status_of(world):
    """The newest status message in its last form."""
    return [text for text in world.telegram.texts_in(ANN) if "balance" in text][-1]


def uploads(world):
    """The names of all files that were uploaded."""
    return [
        name
        for call in world.telegram.called("sendAudio", "sendDocument", "sendMediaGroup")
        for name in call.files
    ]


def sizes(world, chat_id=ANN):
    shown = [one for (chat, _), one in world.telegram.messages.items() if chat == chat_id and "audio" in one]
    return {one["audio"]["title"]: one["audio"].get("file_size") for one in shown}


async def test_what_is_too_large_comes_as_a_link_and_says_how_to_have_it_smaller(linked):
    assert len(linked.telegram.titles_in(ANN)) == 11
    assert VOCALS not in linked.telegram.titles_in(ANN)
    (links,) = [text for text in linked.telegram.texts_in(ANN) if "href=" in text]
    assert links.count("href=") == 1
    assert "too large for Telegram: Vocals. “Make it fit”" in status_of(linked)
    assert (await linked.job()).state is J.DELIVERED


async def test_made_to_fit_it_comes_as_a_smaller_mp3_for_nothing(linked):
    balance = await linked.balance()
    assert await linked.press("Make it fit") == ""
    await linked.run_until_idle()
    assert sizes(linked)[VOCALS] < LIMIT
    single = linked.telegram.called("sendAudio")[-1]
    assert single.files == (f"{VOCALS}.mp3",)
    assert "made smaller, MP3 at about" in single.data["caption"]
    assert "Delivered, made smaller so that Telegram takes them: Vocals." in status_of(linked)
    assert await linked.balance() == balance


async def test_it_is_kept_as_a_file_of_its_own_and_sent_at_once_the_next_time(linked):
    await linked.press("Make it fit")
    await linked.run_until_idle()
    fetched, uploaded = len(linked.files.fetched), len(uploads(linked))
    await linked.press("Send again")
    await linked.run_until_idle()
    assert linked.telegram.titles_in(ANN).count(VOCALS) == 2
    assert (len(linked.files.fetched), len(uploads(linked))) == (fetched, uploaded)


async def test_it_does_not_take_the_place_of_the_whole_one_while_that_can_be_had(linked):
    await linked.press("Make it fit")
    await linked.run_until_idle()
    await linked.say(f"/stems {SONG} full", by=BOB)
    await linked.run_until_idle()
    assert VOCALS not in linked.telegram.titles_in(BOB)
    assert [text for text in linked.telegram.texts_in(BOB) if "href=" in text]


async def test_it_is_what_is_left_when_the_links_have_expired(linked):
    await linked.press("Make it fit")
    await linked.run_until_idle()
    linked.clock.forward(15 * 86_400)
    await linked.work()
    await linked.say(f"/stems {SONG} full", by=BOB)
    await linked.run_until_idle()
    assert len(linked.telegram.titles_in(BOB)) == 12
    assert VOCALS in linked.telegram.titles_in(BOB)
    assert linked.provider.charges == 1


async def test_what_is_known_to_be_too_large_is_not_downloaded_again_to_see_it(linked):
    fetched = linked.files.fetched.count("vocals")
    await linked.press("Send again")
    await linked.run_until_idle()
    assert linked.files.fetched.count("vocals") == fetched
    assert len([text for text in linked.telegram.texts_in(ANN) if "href=" in text]) == 2


async def test_where_every_stem_is_too_large_there_are_links_and_then_an_album(small_telegram, large_audio):
    world = small_telegram
    world.files.answers["instrumental"] = large_audio
    await world.say(f"/stems {SONG}")
    await world.run_until_idle()
    assert uploads(world) == []
    await world.press("Send again")
    await world.run_until_idle()
    assert [text.count("href=") for text in world.telegram.texts_in(ANN) if "href=" in text] == [2, 2]
    await world.press("Make it fit")
    await world.run_until_idle()
    assert len(world.telegram.titles_in(ANN)) == 2
    assert all(size < LIMIT for size in sizes(world).values())


async def test_one_large_stem_alone_can_be_made_to_fit_too(linked):
    await linked.press("One stem")
    await linked.press("Vocals")
    await linked.run_until_idle()
    await linked.press("Make it fit")
    await linked.run_until_idle()
    assert linked.telegram.titles_in(ANN).count(VOCALS) == 1
    assert (await linked.jobs_of())[-1].selection.startswith("fit:stem:")


async def test_in_a_group_the_smaller_ones_go_to_whoever_wants_them(small_telegram):
    world = small_telegram
    await world.say("/start")
    await world.say(f"/stems {SONG}", chat_id=BAND)
    await world.run_until_idle()
    await world.press("Make it fit", chat_id=BAND)
    await world.run_until_idle()
    await world.press("To my chat", chat_id=BAND)
    await world.run_until_idle()
    assert world.telegram.titles_in(BAND).count(VOCALS) == 1
    assert world.telegram.titles_in(ANN) == [VOCALS]


async def test_a_song_too_long_to_be_made_small_enough_stays_a_link(small_telegram):
    world = small_telegram
    world.services.upload_max_bytes = 5_000
    await world.say(f"/stems {SONG}")
    await world.run_until_idle()
    await world.press("Make it fit")
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == []
    assert (await world.jobs_of())[-1].state is J.DELIVERED
    assert "As links, because they are too large for Telegram" in status_of(world)
    assert "Make it fit" not in status_of(world)


@pytest.mark.parametrize("fault", [REFUSED, BAD_ALBUM])
async def test_refused_even_then_it_stays_a_link(linked, fault):
    linked.telegram.fail_always("sendAudio", fault)
    await linked.press("Make it fit")
    await linked.run_until_idle()
    assert (await linked.jobs_of())[-1].state is J.DELIVERED
    assert len([text for text in linked.telegram.texts_in(ANN) if "href=" in text]) == 2


async def test_a_kept_one_that_telegram_refuses_is_made_again(linked):
    await linked.press("Make it fit")
    await linked.run_until_idle()
    linked.telegram.fail("sendAudio", BAD_FILE_ID)
    await linked.press("Send again")
    await linked.run_until_idle()
    assert linked.telegram.titles_in(ANN).count(VOCALS) == 2


async def test_a_lost_answer_is_told_and_not_repeated(linked):
    linked.telegram.fail("sendAudio", ANSWER_LOST)
    await linked.press("Make it fit")
    await linked.run_until_idle()
    assert "did not confirm Vocals" in status_of(linked)
    assert linked.telegram.titles_in(ANN).count(VOCALS) == 1


async def test_with_a_server_that_takes_more_everything_comes_as_it_is(small_telegram):
    small_telegram.services.upload_max_bytes = 1_000_000
    await small_telegram.say(f"/stems {SONG}")
    await small_telegram.run_until_idle()
    assert f"{VOCALS}.wav" in small_telegram.telegram.titles_in(ANN)
    with pytest.raises(AssertionError, match="no button"):
        await small_telegram.press("Make it fit")


async def test_no_file_is_left_on_the_disk(linked, tmp_path):
    await linked.press("Make it fit")
    await linked.run_until_idle()
    assert [path for path in tmp_path.iterdir() if path.name.startswith("stembot-")] == []


async def test_what_is_sent_in_other_parts_than_planned_is_downloaded_once(ready, world):
    world.services.upload_max_bytes = LIMIT  # two stems of the full set
    await ready("full")
    world.telegram.fail("sendMediaGroup", BAD_ALBUM)
    await world.steps("deliver")
    sizes = [max(len(call.files), 1) for call in world.telegram.called("sendAudio", "sendMediaGroup")]
    assert sizes == [2, 1, 1, 2, 2, 2, 2, 2]
    assert len(set(world.telegram.titles_in(ANN))) == 12
    assert len(world.files.fetched) == 12
