from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery import public
from bot.delivery.fetch import Broken, Fetcher, Refused
from bot.delivery.public import PublicOnly

AUDIO = b"ID3" + b"x" * 1000


class Internet:
    """Name servers and hosts: which address a name has, and what the host at an address answers."""

    def __init__(self, **names: list[str]) -> None:
        self.names = {name.replace("_", "."): addresses for name, addresses in names.items()}
        self.arrived: list[httpx.Request] = []
        self.answers: dict[str, Callable[[], httpx.Response]] = {}

    async def resolve(self, host: str, _port: int) -> list[str]:
        return self.names.get(host) or await public.resolve(host, 443)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.arrived.append(request)
        answer = self.answers.get(
            request.url.host, lambda: httpx.Response(200, stream=httpx.ByteStream(AUDIO))
        )
        return answer()

    def fetcher(self, folder: Path) -> Fetcher:
        return Fetcher(folder, transport=PublicOnly(httpx.MockTransport(self.answer), self.resolve))


async def test_the_connection_goes_to_the_checked_address_under_the_name(tmp_path):
    internet = Internet(files_example=["93.184.216.34"])
    async with internet.fetcher(tmp_path) as fetcher:
        await fetcher.fetch("https://files.example/a b.mp3")
    (request,) = internet.arrived
    assert str(request.url) == "https://93.184.216.34/a%20b.mp3"
    assert request.headers["Host"] == "files.example"
    assert request.extensions["sni_hostname"] == "files.example"


def unreachable() -> httpx.Response:
    raise httpx.ConnectError("no route")


async def test_the_next_address_is_tried_where_one_cannot_be_reached(tmp_path):
    internet = Internet(files_example=["2606:4700::1", "2606:4700::2", "1.1.1.1", "1.0.0.1"])
    internet.answers = {"2606:4700::1": unreachable, "2606:4700::2": unreachable}
    async with internet.fetcher(tmp_path) as fetcher:
        await fetcher.fetch("https://files.example/a.mp3")
        assert [request.url.host for request in internet.arrived] == [
            "2606:4700::1",
            "2606:4700::2",
            "1.1.1.1",
        ]
        internet.answers["1.1.1.1"] = unreachable
        with pytest.raises(Broken):
            await fetcher.fetch("https://files.example/a.mp3")


NOT_ALLOWED = [
    "https://",
    "http://files.example/a.mp3",
    "ftp://files.example/a.mp3",
    "https://user:secret@files.example/a.mp3",
    "https://files.example:8443/a.mp3",
    "https://localhost/a.mp3",
    "https://127.0.0.1/a.mp3",
    "https://127.1/a.mp3",
    "https://2130706433/a.mp3",
    "https://0x7f.1/a.mp3",
    "https://[::1]/a.mp3",
    "https://[::ffff:169.254.169.254]/latest/meta-data",
    "https://inside.example/a.mp3",
    "https://mixed.example/a.mp3",
    f"https://{'x' * 70}.example/a.mp3",
]


@pytest.mark.parametrize("link", NOT_ALLOWED)
async def test_a_link_that_leads_inside_is_refused_before_anything_is_sent(tmp_path, link):
    internet = Internet(
        files_example=["1.1.1.1"], inside_example=["10.1.2.3"], mixed_example=["1.1.1.1", "fe80::1"]
    )
    async with internet.fetcher(tmp_path) as fetcher:
        with pytest.raises(Refused):
            await fetcher.fetch(link)
    assert internet.arrived == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["https://inside.example/", "http://files.example/", "https://127.0.0.1/"])
async def test_a_redirect_is_checked_like_a_link(tmp_path, target):
    internet = Internet(files_example=["1.1.1.1"], inside_example=["10.1.2.3"])
    internet.answers["1.1.1.1"] = lambda: httpx.Response(302, headers={"Location": target})
    async with internet.fetcher(tmp_path) as fetcher:
        with pytest.raises(Refused):
            await fetcher.fetch("https://files.example/a.mp3")
    assert len(internet.arrived) == 1


async def test_a_redirect_to_another_public_host_is_followed(tmp_path):
    internet = Internet(files_example=["1.1.1.1"], cdn_example=["1.0.0.1"])
    internet.answers["1.1.1.1"] = lambda: httpx.Response(307, headers={"Location": "https://cdn.example/b"})
    async with internet.fetcher(tmp_path) as fetcher:
        assert (await fetcher.fetch("https://files.example/a.mp3")).size_bytes == len(AUDIO)
    assert internet.arrived[1].headers["Host"] == "cdn.example"


async def test_an_unknown_name_may_work_later(tmp_path):
    async with Fetcher(tmp_path) as fetcher:
        with pytest.raises(Broken):
            await fetcher.fetch("https://no-such-name.invalid/a.mp3")


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::8.8.8.8", True),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::", False),
        ("::1", False),
        ("::7f00:1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("fe80::1%2", False),
        ("fec0::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
    ],
)
def test_which_addresses_are_public(address, is_public):
    assert public.is_public(address) is is_public


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_ipv6_is_judged_like_itself(address):
    for form in (
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{int(address):08x}"[:-4] + f":{int(address) & 0xFFFF:x}::",
    ):
        assert public.is_public(form) == public.is_public(str(address))
