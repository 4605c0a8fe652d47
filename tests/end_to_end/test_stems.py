"""The product: a person asks for a song's stems, and they sum to the song."""

import asyncio
import io
import itertools
from dataclasses import dataclass

import av
import httpx
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from sandbox import song
from sandbox.songs import SONGS
from sandbox.telegram import Message
from tests.end_to_end.towns import LivelyTown

pytestmark = pytest.mark.asyncio(loop_scope="module")

SONG = SONGS[0]
BASIC = ["Paper Boats (Vocals)", "Paper Boats (Instrumental)"]
FULL = [
    f"Paper Boats ({stem})"
    for stem in (
        "Vocals", "Backing Vocals", "Drums", "Bass", "Guitar", "Keyboard",
        "Percussion", "Strings", "Synth", "FX", "Brass", "Woodwinds",
    )
]  # fmt: skip
COMMANDS = {
    "basic": f"/stems {SONG.task_id}:{SONG.audio_id}",
    "full": f"/stems {SONG.task_id}:{SONG.audio_id} full",
}


@dataclass(frozen=True)
class Story:
    """What a person saw who asked for both modes of a song, from the command to the last form."""

    town: LivelyTown
    commands: dict[str, Message]

    def audios(self, mode: str) -> list[Message]:
        return self.town.audios(self.commands[mode])

    def status(self, mode: str) -> Message:
        (status,) = [message for message in self.town.replies(self.commands[mode]) if not message.audio]
        return status

    def forms(self, mode: str) -> list[dict]:
        """What the status message was, from the acknowledgement on, with ``at``."""
        command, status = self.commands[mode], self.status(mode)
        here = [c for c in self.town.telegram.calls if c.parameters.get("chat_id") == str(command.chat_id)]
        sent = [call for call in here if call.method == "sendMessage"]
        edits = [call for call in here if call.parameters.get("message_id") == str(status.message_id)]
        return [call.parameters | {"at": call.at} for call in (*sent, *edits)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(lively_town) -> Story:
    """The full set is asked for in a group. The other one takes long enough for an edit meanwhile."""
    town, ann = lively_town, lively_town.telegram.person("Ann")
    band = town.telegram.group("Band", members=[ann])
    town.upstream.hold()
    full = await ann.say(COMMANDS["full"], band)
    await town.bot.line("separation 1: submit to")
    town.upstream.finish()
    basic = await ann.say(COMMANDS["basic"])
    await ann.wait_for_text("Being separated", after=basic)
    town.upstream.release()
    await ann.wait_for_text("Delivered", after=basic)
    await ann.wait_for_text("Delivered", chat=band, after=full, within_s=20)
    return Story(town, {"basic": basic, "full": full})


async def heard(story: Story, mode: str) -> list[NDArray[np.float32]]:
    """The delivered files as the person's app gets and decodes them: (2, samples) each."""
    async with httpx.AsyncClient(base_url=f"{story.town.sandbox.url}/chat-api/files", timeout=30) as app:
        files = [await app.get(f"/{message.audio.file_id}") for message in story.audios(mode)]
    return [await asyncio.to_thread(decode, file.raise_for_status().content) for file in files]


def decode(content: bytes) -> NDArray[np.float32]:
    with av.open(io.BytesIO(content)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


@pytest.mark.parametrize("mode", COMMANDS)
async def test_the_stems_sum_to_the_song(story, mode):
    mix = decode(song.path("mix").read_bytes())
    together = sum(await heard(story, mode))
    assert together.shape == mix.shape
    assert np.corrcoef(together.ravel(), mix.ravel())[0, 1] > 0.99


@pytest.mark.parametrize(("mode", "titles"), [("basic", BASIC), ("full", FULL)])
async def test_titles_and_file_names_tell_the_stems_in_their_order(story, mode, titles):
    audios = [message.audio for message in story.audios(mode)]
    assert [audio.title for audio in audios] == titles
    assert [audio.file_name for audio in audios] == [f"{title}.mp3" for title in titles]
    assert {audio.duration for audio in audios} == {round(song.DURATION_S)}


@pytest.mark.parametrize(("mode", "sizes"), [("basic", [2]), ("full", [6, 6])])
async def test_stems_come_in_albums_of_equal_size(story, mode, sizes):
    albums = [message.media_group_id for message in story.audios(mode)]
    assert None not in albums
    assert [albums.count(album) for album in dict.fromkeys(albums)] == sizes


async def test_each_song_and_mode_is_bought_once(story):
    assert sorted(story.town.charged(SONG.audio_id)) == ["basic", "full"]


@pytest.mark.parametrize(("mode", "what", "price"), [("basic", "ocals", "10"), ("full", "12 stems", "50")])
async def test_the_acknowledgement_names_song_mode_and_price_and_can_be_cancelled(story, mode, what, price):
    acknowledgement = story.forms(mode)[0]
    assert SONG.audio_id in acknowledgement["text"] or SONG.title in acknowledgement["text"]
    assert what in acknowledgement["text"]
    assert f"{price} credits" in acknowledgement["text"]
    assert buttons_of(acknowledgement) == ["Cancel"]


async def test_the_status_is_one_message_edited_at_most_every_five_seconds(story):
    edited_at = [form["at"] for form in story.forms("basic")[1:]]
    assert len(edited_at) >= 2
    assert all(later - earlier >= 5 for earlier, later in itertools.pairwise(edited_at))
    assert SONG.title in story.forms("basic")[1]["text"]


@pytest.mark.parametrize(
    ("mode", "what", "cost", "buttons", "not_shown"),
    [
        ("basic", "Vocals, Instrumental", "10 credits", {"Full set", "Send again"}, {"Cancel"}),
        ("full", "12 stems", "50 credits", {"Send again"}, {"Full set", "Cancel"}),
    ],
)
async def test_the_last_form_tells_what_came_what_it_cost_and_the_balance(
    story, mode, what, cost, buttons, not_shown
):
    status = story.status(mode)
    assert SONG.title in status.text
    assert f"Delivered: {what}" in status.text
    assert f"{cost} paid · balance 40" in status.text
    shown = {button["text"] for button in status.buttons}
    assert buttons <= shown
    assert not_shown & shown == set()


async def test_a_song_by_its_id_alone_is_separated_too(lively_town):
    ann, known = lively_town.telegram.person("Ann"), SONGS[2]
    command = await ann.say(f"/stems {known.audio_id}")
    audios = await ann.wait_for_audios(2)
    assert [audio.title for audio in audios] == ["Song 1d6a94f3 (Vocals)", "Song 1d6a94f3 (Instrumental)"]
    await ann.wait_for_text("balance 90", after=command)


def buttons_of(form: dict) -> list[str]:
    return [button["text"] for row in form["reply_markup"]["inline_keyboard"] for button in row]
