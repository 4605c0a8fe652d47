"""Every way of sending stems, times every answer to it: what the person sees then, and what is recorded.

A way meets all answers in one world, each in a chat and about a song of its own. "Seen" is what the chat
holds, and what the status message says; "recorded" are the parts with the number of their message ids, how
many ``file_id``s are kept, and whether it was paid.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import pytest

from bot.delivery.fetch import Fetcher
from storage import archive, separations
from storage.jobs import JobView
from storage.rows import TelegramFile
from tests.bot.answers import (
    ALBUM_REFUSALS,
    CHAT_GONE,
    FILE_REFUSALS,
    MOVED,
    NO_FILES,
    NO_TEXTS,
    OK,
    REFUSALS,
    TOPIC_GONE,
    UNKNOWN_DONE,
    UNKNOWN_NOT_DONE,
    UNSENT,
    URL_REFUSALS,
    Answers,
    Case,
    said_in,
    separated,
)
from tests.bot.upstream_stand_in import some_wav
from tests.bot.world import World

NOT_AUDIO = b"<html>sign in</html>" * 10


@dataclass(frozen=True)
class Way:
    """How stems are sent: a method, the links that lead to it, and what is different from an upload."""

    method: str
    links: Sequence[str]
    is_kept: bool = False  # Telegram has them already
    disk_is_full: bool = False

    @property
    def kind(self) -> str:
        return "document" if self.method == "sendDocument" else "audio"


BOTH, ONE = ("vocals.mp3", "instrumental.mp3"), ("vocals.mp3",)
WAYS = {
    "album, upload": Way("sendMediaGroup", BOTH),
    "album, file_id": Way("sendMediaGroup", BOTH, is_kept=True),
    "audio, upload": Way("sendAudio", ONE),
    "audio, file_id": Way("sendAudio", ONE, is_kept=True),
    "document, upload": Way("sendDocument", ("vocals.wav",)),
    "document, file_id": Way("sendDocument", ("vocals.wav",), is_kept=True),
    "audio by URL": Way("sendAudio", ONE, disk_is_full=True),
    "links": Way("sendMessage", ("broken.mp3",)),
}

Table = Sequence[tuple[Answers, str, str]]
ALBUM_UPLOAD: Table = [
    (OK | UNSENT, "2 files, Delivered", "album sent 2; kept 2; paid"),
    (UNKNOWN_NOT_DONE, "nothing, Send again?", "album unknown; kept 0; paid"),
    (UNKNOWN_DONE, "2 files, Send again?", "album unknown; kept 0; paid"),
    (CHAT_GONE, "nothing, no charge", "album refused; kept 0; not paid"),
    (NO_FILES, "2 links, No audio here", "album refused, links sent 1; kept 0; paid"),
    (ALBUM_REFUSALS, "2 files, Delivered", "single sent 1, single sent 1; kept 2; paid"),
    (MOVED | TOPIC_GONE, "2 files at the new place, Delivered", "album sent 2; kept 2; paid"),
]
ALBUM_AGAIN: Table = [
    (OK | UNSENT, "2 files, Delivered", "album sent 2; kept 2; paid"),
    (UNKNOWN_NOT_DONE, "nothing, Send again?", "album unknown; kept 2; paid"),
    (UNKNOWN_DONE, "2 files, Send again?", "album unknown; kept 2; paid"),
    (CHAT_GONE, "nothing, no charge", "album refused; kept 2; not paid"),
    (NO_FILES, "2 links, No audio here", "album refused, links sent 1; kept 2; paid"),
    (ALBUM_REFUSALS, "2 files uploaded, Delivered", "album sent 2; kept 2; paid"),
    (MOVED | TOPIC_GONE, "2 files at the new place, Delivered", "album sent 2; kept 2; paid"),
]
ONE_UPLOAD: Table = [
    (OK | UNSENT, "1 file, Delivered", "single sent 1; kept 1; paid"),
    (UNKNOWN_NOT_DONE, "nothing, Send again?", "single unknown; kept 0; paid"),
    (UNKNOWN_DONE, "1 file, Send again?", "single unknown; kept 0; paid"),
    (CHAT_GONE, "nothing, no charge", "single refused; kept 0; not paid"),
    (NO_FILES, "1 link, No audio here", "single refused, links sent 1; kept 0; paid"),
    (FILE_REFUSALS, "1 link, Files refused", "single refused, links sent 1; kept 0; paid"),
    (MOVED | TOPIC_GONE, "1 file at the new place, Delivered", "single sent 1; kept 1; paid"),
]
ONE_AGAIN: Table = [
    (OK | UNSENT, "1 file, Delivered", "single sent 1; kept 1; paid"),
    (UNKNOWN_NOT_DONE, "nothing, Send again?", "single unknown; kept 1; paid"),
    (UNKNOWN_DONE, "1 file, Send again?", "single unknown; kept 1; paid"),
    (CHAT_GONE, "nothing, no charge", "single refused; kept 1; not paid"),
    (NO_FILES, "1 link, No audio here", "single refused, links sent 1; kept 1; paid"),
    (FILE_REFUSALS, "1 file uploaded, Delivered", "single sent 1; kept 1; paid"),
    (MOVED | TOPIC_GONE, "1 file at the new place, Delivered", "single sent 1; kept 1; paid"),
]
BY_URL: Table = [
    (OK | UNSENT, "1 file, Delivered", "url sent 1; kept 1; paid"),
    (UNKNOWN_NOT_DONE, "nothing, Send again?", "url unknown; kept 0; paid"),
    (UNKNOWN_DONE, "1 file, Send again?", "url unknown; kept 0; paid"),
    (CHAT_GONE, "nothing, no charge", "url refused; kept 0; not paid"),
    (NO_FILES, "1 link, No audio here", "url refused, links sent 1; kept 0; paid"),
    (URL_REFUSALS, "1 link, Files refused", "url refused, links sent 1; kept 0; paid"),
    (MOVED | TOPIC_GONE, "1 file at the new place, Delivered", "url sent 1; kept 1; paid"),
]
LINKS: Table = [
    (OK | UNSENT, "1 link, Files refused", "single refused, links sent 1; kept 0; paid"),
    (UNKNOWN_NOT_DONE, "nothing, Send again?", "single refused, links unknown; kept 0; paid"),
    (UNKNOWN_DONE, "1 link, Send again?", "single refused, links unknown; kept 0; paid"),
    (CHAT_GONE, "nothing, no charge", "single refused, links refused; kept 0; not paid"),
    (REFUSALS | NO_TEXTS, "nothing, no charge", "single refused, links refused; kept 0; not paid"),
    (
        MOVED | TOPIC_GONE,
        "1 link at the new place, Files refused",
        "single refused, links sent 1; kept 0; paid",
    ),
]
TABLES = {
    "album, upload": ALBUM_UPLOAD,
    "album, file_id": ALBUM_AGAIN,
    "audio, upload": ONE_UPLOAD,
    "audio, file_id": ONE_AGAIN,
    "document, upload": ONE_UPLOAD,
    "document, file_id": ONE_AGAIN,
    "audio by URL": BY_URL,
    "links": LINKS,
}


async def kept_already(world: World, cases: Sequence[Case], way: Way) -> None:
    """Telegram has all of it from an earlier delivery."""
    async with world.database.transaction() as db:
        for separation_id in range(1, len(cases) + 1):
            for stem in await separations.stems_of(db, separation_id):
                file_id = f"kept-{stem.id}"
                world.telegram.known_files[file_id] = f"Paper Boats ({stem.name.title()}).mp3"
                ours = world.services.bot.id
                await archive.keep(
                    db, TelegramFile(stem.id, ours, way.kind, file_id, file_id, 1, world.clock())
                )


def seen(world: World, case: Case, view: JobView, way: Way) -> str:
    """What the chat holds, and what the status message says."""
    chat_id = view.job.chat_id
    texts = world.telegram.texts_in(chat_id)
    held = (
        counted(len(world.telegram.titles_in(chat_id)), "file")
        or counted(sum(text.count("href=") for text in texts), "link")
        or "nothing"
    )
    calls = [call for call in world.telegram.called(way.method) if call.chat_id == chat_id]
    uploaded = " uploaded" if way.is_kept and any(call.files for call in calls) else ""
    place = " at the new place" if case.is_elsewhere(view.job) else ""
    status = next(text for text in reversed(texts) if "href=" not in text)
    return f"{held}{uploaded}{place}, {said_in(status)}"


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number > 1)}" if number else ""


async def recorded(world: World, view: JobView) -> str:
    """Parts, what Telegram keeps, and whether it was paid."""
    ids = [(part, len(json.loads(part.message_ids_json or "[]"))) for part in await world.parts(view.job.id)]
    parts = ", ".join(f"{part.kind} {part.state} {count or ''}".strip() for part, count in ids)
    async with world.database.reading() as db:
        kept = await archive.files_of(db, view.separation.id, bot_id=world.services.bot.id)
    paid = {90: "paid", 100: "not paid"}[await world.balance(view.job.user_id)]
    return f"{parts}; kept {len(kept)}; {paid}"


@pytest.fixture
async def full_disk(tmp_path, world):
    """A fetcher for which there is no room."""
    async with Fetcher(tmp_path, transport=httpx.MockTransport(world.files), keep_free_bytes=1 << 60) as full:
        yield full


@pytest.mark.parametrize("name", WAYS)
async def test_what_is_seen_and_recorded_after_every_answer(world, full_disk, name):
    way, rows = WAYS[name], [(found, *row[1:]) for row in TABLES[name] for found in row[0].items()]
    cases = [Case.of(*found, number) for number, (found, *_) in enumerate(rows, start=1)]
    world.files.answers |= {"vocals.wav": some_wav(), "broken": NOT_AUDIO}
    await separated(world, cases, *way.links)
    if way.is_kept:
        await kept_already(world, cases, way)
    for case in cases:
        world.telegram.fail_in(case.chat_id, way.method, *case.faults)
    fetcher = world.services.fetcher
    world.services.fetcher = full_disk if way.disk_is_full else fetcher
    await world.run_until_idle()
    world.services.fetcher = fetcher
    views = [await world.view(case.number) for case in cases]
    happened = [
        (case.name, seen(world, case, view, way), await recorded(world, view))
        for case, view in zip(cases, views, strict=True)
    ]
    assert happened == [(found[0], *expected) for found, *expected in rows]
