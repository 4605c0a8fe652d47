"""What else can be had of a delivered job: other stems, another place. From the archive, for nothing."""

import pytest

from providers.base import StemLink, Succeeded
from storage.states import JobState as J
from tests.bot.telegram_stand_in import BLOCKED, GATEWAY, KICKED, NO_AUDIO_HERE, NOT_FOUND, UNREACHABLE
from tests.bot.upstream_stand_in import FILES, links, silence
from tests.bot.world import ANN, BAND, BOB, EVE, SONG

FILE_SENDS = ("sendAudio", "sendDocument", "sendMediaGroup")
DRUMS = "Paper Boats (Drums)"
LINKS_LIVE_S = 15 * 86_400


@pytest.fixture
async def full_set(world):
    """In Ann's chat; there is nothing to hear in the strings."""
    world.files.answers["strings"] = silence()
    await world.say(f"/stems {SONG} full")
    await world.run_until_idle()
    return world


@pytest.fixture
async def in_band(world):
    """Two stems in a group, where Ann asked for them."""
    await world.say("/start")
    await world.say(f"/stems {SONG}", chat_id=BAND)
    await world.run_until_idle()
    return world


class Moved:
    """What was moved since."""

    def __init__(self, world):
        self.world, self.sends, self.fetched = (
            world,
            len(world.telegram.called(*FILE_SENDS)),
            len(world.files.fetched),
        )

    @property
    def calls(self):
        return self.world.telegram.called(*FILE_SENDS)[self.sends :]

    def nothing(self):
        """Not a byte of audio, though something was sent."""
        uploads = [name for call in self.calls for name in call.files]
        return bool(self.calls) and uploads == [] and len(self.world.files.fetched) == self.fetched


async def test_one_stem_comes_alone_and_moves_nothing(full_set):
    moved, balance = Moved(full_set), await full_set.balance()
    await full_set.press("One stem")
    await full_set.press("Drums")
    await full_set.run_until_idle()
    assert full_set.telegram.titles_in(ANN)[-1] == DRUMS
    assert len(full_set.telegram.titles_in(ANN)) == 12
    assert moved.nothing()
    assert await full_set.balance() == balance


async def test_the_list_of_stems_folds_again(full_set):
    await full_set.press("One stem")
    await full_set.press("‹ Back")
    with pytest.raises(AssertionError, match="no button"):
        await full_set.press("Drums")
    await full_set.press("One stem")


async def test_silent_stems_come_when_asked_for(full_set):
    assert "Nothing to hear in this song: Strings" in full_set.status_text()
    await full_set.press("Silent stems")
    await full_set.run_until_idle()
    assert full_set.telegram.titles_in(ANN)[-1] == "Paper Boats (Strings)"
    assert len(full_set.telegram.titles_in(ANN)) == 12


async def test_the_second_set_comes_when_asked_for_and_says_so_in_its_names(world):
    second = tuple(
        StemLink(stem.name, f"{FILES}/2/{stem.name}.mp3", 39.5, 2) for stem in links("vocals", "drums")
    )
    world.provider.to_look.append(Succeeded((*links("vocals", "drums"), *second), "Paper Boats"))
    await world.say(f"/stems {SONG} full")
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == ["Paper Boats (Vocals)", DRUMS]
    await world.press("Second set")
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN)[2:] == ["Paper Boats (Vocals 2)", "Paper Boats (Drums 2)"]
    assert await world.balance() == 50


async def test_a_song_stays_in_the_archive_though_nobody_wanted_its_silent_stems(full_set):
    full_set.clock.forward(LINKS_LIVE_S)
    await full_set.press("Send again")
    await full_set.say(f"/stems {SONG} full", by=BOB)
    await full_set.run_until_idle()
    assert len(full_set.telegram.titles_in(ANN)) == 22
    assert len(full_set.telegram.titles_in(BOB)) == 11
    assert await full_set.balance(BOB) == 100
    assert full_set.provider.charges == 1


async def test_a_second_set_that_is_lost_does_not_cost_the_first(world):
    second = tuple(StemLink(name, f"{FILES}/2/{name}-2.mp3", 39.5, 2) for name in ("vocals", "drums"))
    world.provider.to_look.append(Succeeded((*links("vocals", "drums"), *second), "Paper Boats"))
    world.files.answers |= {"vocals-2": 404, "drums-2": 404}
    await world.say(f"/stems {SONG} full")
    await world.run_until_idle()
    again = world.pressing("Send again")
    await world.press("Second set")
    await world.run_until_idle()
    assert "can&#x27;t be fetched from the upstream any more" in world.status_text()
    await world.press_update(again)
    await world.run_until_idle()
    assert world.telegram.titles_in(ANN) == ["Paper Boats (Vocals)", DRUMS] * 2


async def test_from_a_group_to_ones_own_chat(in_band):
    moved = Moved(in_band)
    assert "on their way to your private chat" in await in_band.press("To my chat", chat_id=BAND)
    await in_band.run_until_idle()
    assert in_band.telegram.titles_in(ANN) == in_band.telegram.titles_in(BAND)
    assert "reply_parameters" not in moved.calls[0].data
    assert moved.nothing()
    assert await in_band.balance() == 90


async def test_what_was_picked_is_what_is_tried_again(in_band):
    in_band.telegram.fail("sendAudio", KICKED)
    await in_band.press("One stem", chat_id=BAND)
    await in_band.press("Instrumental", chat_id=BAND)
    await in_band.run_until_idle()
    await opened(in_band)
    assert "Try again at no cost" in in_band.status_text()
    await in_band.press("Try again")
    await in_band.run_until_idle()
    assert in_band.telegram.titles_in(ANN) == ["Paper Boats (Instrumental)"]


async def test_who_never_wrote_to_the_bot_is_told_to(in_band):
    in_band.telegram.fail("sendChatAction", BLOCKED)
    assert "press Start" in await in_band.press("To my chat", chat_id=BAND)
    await in_band.run_until_idle()
    assert in_band.telegram.titles_in(ANN) == []


@pytest.mark.parametrize("fault", [NOT_FOUND, GATEWAY, UNREACHABLE], ids=["no such method", "502", "no line"])
async def test_where_nobody_says_whether_a_chat_is_there_it_is_tried(in_band, fault):
    in_band.telegram.fail("sendChatAction", fault)
    assert "on their way to your private chat" in await in_band.press("To my chat", chat_id=BAND)
    await in_band.run_until_idle()
    assert len(in_band.telegram.titles_in(ANN)) == 2


@pytest.mark.parametrize("label", ["To my chat", "One stem", "Send again"])
async def test_nobody_else_presses_them(in_band, label):
    assert (await in_band.press(label, by=EVE, chat_id=BAND)).startswith("ALERT Only the person who asked")


async def test_the_two_stems_can_be_had_after_the_full_set(full_set):
    await full_set.grant(100, ANN)
    await full_set.press("Two stems")
    await full_set.run_until_idle()
    assert "Paper Boats (Instrumental)" in full_set.telegram.titles_in(ANN)
    assert full_set.provider.charges == 2


async def opened(world, by=ANN):
    """The newest job, opened from /jobs in a private chat; the labels of its buttons."""
    await world.say("/jobs", by=by)
    await world.press("Paper Boats", by=by)
    return labels(world, by)


def labels(world, chat_id=ANN):
    shown = [one for (chat, _), one in world.telegram.messages.items() if chat == chat_id][-1]
    return [button["text"] for row in shown["reply_markup"]["inline_keyboard"] for button in row]


async def test_the_way_back_to_jobs_stays_while_a_stem_is_picked(in_band):
    offered = await opened(in_band)
    await in_band.press("One stem")
    assert labels(in_band) == ["Vocals", "Instrumental", "‹ Back", "‹ Jobs"]
    await in_band.press("‹ Back")
    assert labels(in_band) == offered


async def test_each_button_of_a_groups_job_brings_its_stems_to_where_jobs_was_asked_for(in_band):
    await in_band.grant(100, ANN)
    number, offered = len(await in_band.jobs_of()), await opened(in_band)
    for label in (one for one in offered if one not in ("One stem", "‹ Jobs")):
        shown = in_band.telegram.messages.copy()
        await in_band.press(label)
        await in_band.run_until_idle()
        number += 1
        job = await in_band.job(number)
        assert (label, job.chat_id, job.state) == (label, ANN, J.DELIVERED)
        in_band.telegram.messages = shown
    assert number == 4, "Full set, Send again, To my chat"


@pytest.mark.parametrize("label", ["Paper Boats", "One stem"])
async def test_a_second_tap_that_changes_nothing_is_answered(in_band, label):
    await in_band.say("/jobs")
    if label == "One stem":
        await in_band.press("Paper Boats")
    tap = in_band.pressing(label)
    tap_again = tap | {"callback_query": tap["callback_query"] | {"id": "the second"}}
    await in_band.press_update(tap)
    assert await in_band.press_update(tap_again) == ""


@pytest.mark.parametrize("label", ["Send again", "One stem"])
async def test_jobs_offers_the_same_as_the_status_message(full_set, label):
    await full_set.say("/jobs")
    await full_set.press("Paper Boats")
    moved = Moved(full_set)
    await full_set.press(label)
    if label == "One stem":
        await full_set.press("Drums")
    await full_set.run_until_idle()
    assert moved.nothing()


async def test_a_groups_job_is_sent_again_from_jobs_in_private(in_band):
    await in_band.say("/jobs")
    await in_band.press("Paper Boats")
    moved = Moved(in_band)
    await in_band.press("Send again")
    await in_band.run_until_idle()
    assert len(in_band.telegram.titles_in(ANN)) == 2
    assert moved.nothing()


async def test_after_the_bot_was_thrown_out_of_a_group_the_result_is_still_to_be_had_in_private(world):
    await world.say(f"/stems {SONG}", chat_id=BAND)
    world.telegram.fail_always("sendMediaGroup", KICKED)
    await world.run_until_idle()
    assert (await world.job()).state is J.FAILED
    del world.telegram.always["sendMediaGroup"]
    await world.say("/jobs")
    await world.press("Paper Boats")
    await world.press("Try again")
    await world.run_until_idle()
    assert len(world.telegram.titles_in(ANN)) == 2
    assert world.provider.charges == 1, "it was separated already"
    assert await world.balance() == 90


async def test_where_audio_may_not_be_sent_all_stems_come_as_links_with_one_sentence_why(world):
    world.telegram.fail_always("sendMediaGroup", NO_AUDIO_HERE)
    await world.say(f"/stems {SONG} full", chat_id=BAND)
    await world.run_until_idle()
    (text,) = [text for text in world.telegram.texts_in(BAND) if "href=" in text]
    assert text.count("href=") == 12
    assert len(world.telegram.called("sendMediaGroup")) == 1
    (status,) = [text for text in world.telegram.texts_in(BAND) if "balance" in text]
    assert "As links, because this chat does not let me send audio: 12 stems." in status
    assert (await world.job()).state is J.DELIVERED


@pytest.mark.parametrize("is_swept", [False, True])
async def test_where_audio_may_not_be_sent_no_dead_links_are_sent_instead(in_band, is_swept):
    in_band.clock.forward(15 * 86_400)
    if is_swept:
        await in_band.work()
    in_band.telegram.fail_in(BAND, "sendMediaGroup", NO_AUDIO_HERE)
    await in_band.press("Send again", chat_id=BAND)
    await in_band.steps("status", "deliver", "status")
    told = in_band.status_text(BAND)
    assert "this chat does not let me send audio, and the links to it work no longer" in told
    assert "The stems are kept: “Try again” sends them to the chat where you press it, at no cost." in told
    assert not any("href=" in text for text in in_band.telegram.texts_in(BAND))


async def test_a_stem_that_was_picked_is_found_by_name_when_the_song_was_separated_anew(full_set):
    full_set.clock.forward(15 * 86_400)
    await full_set.work()
    full_set.telegram.forget_files()
    await full_set.grant(200, BOB)
    for who in (EVE, BOB):  # Eve finds that nothing is kept any more, Bob has it made again
        await full_set.grant(200, who)
        await full_set.say(f"/stems {SONG} full", by=who)
        await full_set.run_until_idle()
    assert full_set.provider.charges == 2
    await full_set.press("One stem")
    await full_set.press("Drums")
    await full_set.run_until_idle()
    assert full_set.telegram.titles_in(ANN)[-1] == DRUMS
