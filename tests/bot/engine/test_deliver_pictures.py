"""Delivering: the picture and the artist that go with each stem."""

import httpx
import pytest

from bot.delivery import pictures
from providers.base import Song, Succeeded
from storage.states import JobState as J
from tests.bot.delivery.test_audio import write
from tests.bot.delivery.test_pictures import a_picture
from tests.bot.upstream_stand_in import FILES, links
from tests.bot.world import ANN, SONG, TASK

COVER = "cover.png"
TITLES = ["Paper Boats (Vocals)", "Paper Boats (Instrumental)"]


@pytest.fixture
def told(world):
    """``await told(artist="Ann")``: what the upstream says of Ann's song, which is then delivered."""

    async def deliver(mode="", **song):
        world.provider.listed = [Song(SONG, TASK, "Paper Boats", **song)]
        await world.say(f"/stems {TASK}:{SONG} {mode}")
        await world.run_until_idle()
        assert (await world.job()).state is J.DELIVERED

    return deliver


async def test_every_stem_of_both_albums_carries_the_songs_cover_fetched_once(world, told):
    world.files.answers[COVER] = a_picture()
    await told("full", cover_url=f"{FILES}/{COVER}")
    first, second = world.telegram.called("sendMediaGroup")
    assert {*first.thumbnails, *second.thumbnails} == {pictures.small(a_picture())}
    assert (len(first.thumbnails), len(second.thumbnails)) == (6, 6)
    assert world.files.fetched.count(COVER) == 1


async def test_without_a_cover_each_family_has_a_drawn_picture(world, told):
    await told()
    (album,) = world.telegram.called("sendMediaGroup")
    assert list(album.thumbnails) == [pictures.drawn("vocals"), pictures.drawn("instrumental")]


async def test_a_lone_stem_has_its_picture_too(world, told):
    world.provider.stems = ["vocals"]
    await told()
    (single,) = world.telegram.called("sendAudio")
    assert list(single.thumbnails) == [pictures.drawn("vocals")]


async def test_a_cover_that_came_with_the_stems_serves_too(world):
    world.files.answers[COVER] = a_picture()
    world.provider.to_look.append(Succeeded(links("vocals", "drums"), "Paper Boats", f"{FILES}/{COVER}"))
    await world.say(f"/stems {SONG}")
    await world.run_until_idle()
    (album,) = world.telegram.called("sendMediaGroup")
    assert set(album.thumbnails) == {pictures.small(a_picture())}


async def test_a_document_has_its_picture_as_well(world, told, tmp_path):
    world.files.answers["vocals"] = write(tmp_path / "vocals", "wav").read_bytes()
    await told()
    sent = world.telegram.called("sendAudio", "sendDocument")
    assert [(call.files, call.thumbnails) for call in sent] == [
        ((f"{TITLES[1]}.mp3",), (pictures.drawn("instrumental"),)),
        ((f"{TITLES[0]}.wav",), (pictures.drawn("vocals"),)),
    ]


BAD_COVERS = [
    pytest.param(404, id="not there"),
    pytest.param(httpx.ConnectError("no"), id="host down"),
    pytest.param(b"<html>sign in</html>" * 10, id="a page"),
    pytest.param(b"\x89PNG\r\n\x1a\n" + b"x" * 500, id="broken"),
    pytest.param(a_picture(width=6000, height=6000), id="too many pixels"),
    pytest.param(b"\xff\xd8\xff" + bytes(6_000_000), id="too many bytes"),
]


@pytest.mark.parametrize("answer", BAD_COVERS)
async def test_a_bad_cover_costs_nothing_but_itself(world, told, tmp_path, answer):
    world.files.answers[COVER] = answer
    await told(cover_url=f"{FILES}/{COVER}")
    (album,) = world.telegram.called("sendMediaGroup")
    assert list(album.thumbnails) == [pictures.drawn("vocals"), pictures.drawn("instrumental")]
    assert world.telegram.titles_in(ANN) == TITLES
    assert world.files.fetched.count(COVER) == 1
    assert [path for path in tmp_path.iterdir() if path.name.startswith("stembot-")] == []


async def test_what_telegram_keeps_needs_no_picture(world, told):
    await told(cover_url=f"{FILES}/{COVER}")
    await world.press("Send again")
    await world.run_until_idle()
    assert world.telegram.called("sendMediaGroup")[1].thumbnails == ()
    assert world.files.fetched.count(COVER) == 1


async def test_an_artist_is_named_where_the_upstream_names_one(world, told):
    await told(artist="Ann\n& the  Band")
    (album,) = world.telegram.called("sendMediaGroup")
    assert [item["performer"] for item in album.data["media"]] == ["Ann & the Band"] * 2


async def test_else_no_artist_is_named(world, told):
    await told()
    (album,) = world.telegram.called("sendMediaGroup")
    assert ["performer" in item for item in album.data["media"]] == [False, False]
