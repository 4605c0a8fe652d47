import httpx
import pytest

from bot.share_links import HOPS, PAGE_MAX_BYTES, ShareLinks
from tests.bot.world import OTHER_SONG, SONG


@pytest.fixture
async def resolve():
    """``await resolve(answer)``: what a link leads to where suno.com answers like this; whom it asked."""
    clients = []

    async def ask(answer, short="Ab3dEf"):
        asked = []

        async def handler(request):
            asked.append(str(request.url))
            found = answer(request) if callable(answer) else answer
            if isinstance(found, Exception):
                raise found
            return found

        clients.append(links := ShareLinks(httpx.MockTransport(handler)))
        return await links.resolve(short), asked

    yield ask
    for client in clients:
        await client.aclose()


def redirect(to, status=307):
    return httpx.Response(status, headers={"Location": to})


def page(text):
    return httpx.Response(200, text=text)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_the_song_names_it(resolve, status):
    found, asked = await resolve(redirect(f"https://suno.com/song/{SONG}?sh=Ab3dEf", status))
    assert (found, asked) == (SONG, ["https://suno.com/s/Ab3dEf"])


async def test_so_does_a_relative_one(resolve):
    assert (await resolve(redirect(f"/song/{SONG}")))[0] == SONG


async def test_so_does_a_page(resolve):
    text = f'<meta property="og:url" content="https://suno.com/song/{SONG}"> /song/{OTHER_SONG}'
    assert (await resolve(page(text)))[0] == SONG


async def test_a_song_after_two_redirects_is_found(resolve):
    def answer(request):
        return redirect("https://www.suno.com/s/x" if request.url.host == "suno.com" else f"/song/{SONG}")

    assert (await resolve(answer))[0] == SONG


async def test_redirects_have_an_end(resolve):
    found, asked = await resolve(redirect("/s/again"))
    assert found is None
    assert len(asked) == HOPS + 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        f"https://evil.example/song/{SONG}",
        f"http://suno.com/song/{SONG}",
        f"https://suno.com.evil.example/song/{SONG}",
        f"https://suno.com@evil.example/song/{SONG}",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "https://[::1",
        "//evil.example/",
    ],
)
async def test_nobody_else_is_asked(resolve, elsewhere):
    found, asked = await resolve(redirect(elsewhere))
    assert found is None
    assert asked == ["https://suno.com/s/Ab3dEf"]


@pytest.mark.parametrize("short", ["../../song", "//evil.example/x", "https://evil.example/x", "a?b#c", ""])
async def test_no_short_name_leads_elsewhere(resolve, short):
    _, asked = await resolve(page("nothing"), short)
    assert all(httpx.URL(url).host == "suno.com" for url in asked)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(500, text="oops"),
        page("no song here"),
        httpx.ConnectError("no route"),
        httpx.ReadTimeout("slow"),
        redirect("https://suno.com/song/not-a-song"),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip")),
    ],
    ids=["404", "500", "no song", "no route", "slow", "odd song", "garbled"],
)
async def test_what_tells_nothing_is_none(resolve, answer):
    assert (await resolve(answer))[0] is None


async def test_a_page_is_not_read_for_ever(resolve):
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 1
            yield b"x" * 10_000

    found, _ = await resolve(httpx.Response(200, content=endless()))
    assert found is None
    assert read * 10_000 <= PAGE_MAX_BYTES + 20_000
