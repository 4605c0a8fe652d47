"""The chat page's files: all there, closed to the outside, and its examples mean what they say."""

import re

import httpx
import pytest
from starlette.applications import Starlette

from sandbox import page, songs


@pytest.fixture
async def visitor():
    transport = httpx.ASGITransport(Starlette(routes=page.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        yield client


@pytest.mark.parametrize("path", page.FILES)
async def test_every_file_is_served_and_may_load_only_from_here(visitor, path):
    answer = await visitor.get(path)
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_every_file_of_the_folder_is_served():
    found = {file.name for file in page.FOLDER.iterdir() if file.suffix in {".html", ".css", ".js"}}
    assert found == set(page.FILES.values())


@pytest.mark.parametrize("name", page.FILES.values())
def test_no_file_names_an_outside_resource_or_makes_markup_of_text(name):
    text = (page.FOLDER / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert (
        re.findall(r"(?:src|href)=[\"'](?:https?:)?//|@import|url\(|innerHTML|insertAdjacentHTML", text) == []
    )


async def test_the_examples_name_songs_that_there_are(visitor):
    offered = (await visitor.get("/examples")).json()
    assert [example["label"] for example in offered] == [example.label for example in page.EXAMPLES]
    ids = {
        found
        for example in offered
        for found in re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4,12}){4}", example["text"])
    }
    assert ids
    assert all(songs.by_audio_id(audio_id) for audio_id in ids)
