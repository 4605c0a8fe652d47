"""The stem host, over ASGI; the hosts that cut and trickle are met over a real connection in test_server."""

import httpx
import pytest

from sandbox import song
from sandbox.songs import ODD, SONGS
from sandbox.upstreams import faults, files

BASE = "http://upstream/files"


def links(name="", mode="full"):
    wanted = ODD[name] if name else SONGS[0]
    return {part.name: part.url for part in files.parts(BASE, "task", wanted, mode)}


@pytest.fixture
async def host(make):
    return await make("kie")


@pytest.mark.parametrize("mode", ["basic", "full"])
async def test_every_link_leads_to_its_own_recording(host, mode):
    _, client = host
    prefix = "basic_" if mode == "basic" else ""
    for name, link in links(mode=mode).items():
        answer = await client.get(link)
        assert answer.content == song.path(prefix + name).read_bytes()
        assert answer.headers["content-type"] == "audio/mpeg"
        assert int(answer.headers["content-length"]) == len(answer.content)


async def test_a_range_is_served_alone(host):
    _, client = host
    answer = await client.get(links()["drums"], headers={"Range": "bytes=10-19"})
    assert answer.status_code == 206
    assert answer.content == song.path("drums").read_bytes()[10:20]


async def test_head_tells_the_length(host):
    _, client = host
    answer = await client.head(links()["drums"])
    assert int(answer.headers["content-length"]) == song.path("drums").stat().st_size


async def test_a_link_with_a_space_works_once_it_is_encoded(host):
    _, client = host
    link = links("spaces")["backing_vocals"]
    assert link.endswith(" Backing Vocals.mp3")
    assert (await client.get(link)).content == song.path("backing_vocals").read_bytes()


async def test_an_invented_instrument_can_be_heard(host):
    _, client = host
    assert (await client.get(links("kazoo")["kazoo"])).status_code == 200


async def test_hosts_that_refuse(host):
    _, client = host
    assert (await client.get(links("host_forbids")["drums"])).status_code == 403
    page = await client.get(links("host_html")["drums"])
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_a_cut_download_is_a_read_error(host):
    _, client = host
    with pytest.raises(httpx.ReadError):
        await client.get(links("host_cuts")["drums"])


@pytest.mark.parametrize(
    "path", ["/full/s/drums.mp3", "/other/s/x_Drums.mp3", "/full/nohost/x_Drums.mp3", "/full/s/../s"]
)
async def test_what_is_not_a_link_is_not_found(host, path):
    _, client = host
    assert (await client.get(BASE + path)).status_code == 404


async def test_a_fault_can_meet_a_file(host):
    upstream, client = host
    upstream.fail_next(faults.http(410, "Gone"), on="file")
    assert (await client.get(links()["drums"])).status_code == 410
    assert (await client.get(links()["drums"])).status_code == 200
