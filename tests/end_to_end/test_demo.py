"""``stembot demo`` as a newcomer meets it: the real process, and its page in a real browser."""

import asyncio
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from sandbox import page as chat_page

STEMBOT = Path(sys.executable).with_name("stembot")
READY_WITHIN_S, GONE_WITHIN_S = 30, 15
SPLIT_WITHIN_MS = 60_000
INTERRUPTED, TERMINATED = signal.SIGINT, signal.SIGTERM
# Automatic tests have no hands: Chromium would wait for a click before it lets a page play.
CHROMIUM_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required")
SONG = f"{chat_page.SONG.task_id}:{chat_page.SONG.audio_id}"


@dataclass
class Demo:
    """A running ``stembot demo`` and what it has printed so far."""

    process: asyncio.subprocess.Process
    url: str
    printed: str

    async def end(self, by: signal.Signals) -> tuple[int | None, str]:
        """Its exit status, and what it complained about."""
        self.process.send_signal(by)
        async with asyncio.timeout(GONE_WITHIN_S):
            _, complaints = await self.process.communicate()
        return self.process.returncode, complaints.decode()


async def start(folder: Path, port: int) -> asyncio.subprocess.Process:
    """Where everything that it must not read is wrong."""
    (folder / ".env").write_text("HTTP_PORT=wrong\nTELEGRAM_TOKEN=wrong\n")
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    return await asyncio.create_subprocess_exec(
        STEMBOT, "demo", "--no-open", "--port", str(port),
        cwd=folder,
        env={"TMPDIR": str(temporary), "PROVIDERS": "wrong", "LOG_LEVEL": "wrong"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@asynccontextmanager
async def running(folder: Path, port: int) -> AsyncIterator[Demo]:
    process = await start(folder, port)
    try:
        assert process.stdout
        async with asyncio.timeout(READY_WITHIN_S):
            printed = await process.stdout.readuntil(b"Ctrl-C stops it.")
        yield Demo(process, f"http://127.0.0.1:{port}", printed.decode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
async def demo(tmp_path, port) -> AsyncIterator[Demo]:
    async with running(tmp_path, port) as demo:
        yield demo


@pytest.fixture
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail(
            "These tests need Chromium on PATH: `apt-get install chromium`, or your system's package of it."
        )
    return path


@pytest.fixture
async def page(chromium) -> AsyncIterator[Page]:
    """A page of a phone's size in which nothing may go wrong; it has not gone anywhere yet."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = await browser.new_page(viewport={"width": 360, "height": 740})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.set_default_timeout(SPLIT_WITHIN_MS)
        yield page
        await browser.close()
    # A demo that was stopped is complained about by the browser itself.
    assert [complaint for complaint in complaints if "net::ERR_" not in complaint] == []


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Message", exact=True).press_sequentially(text)
    await page.keyboard.press("Enter")


def shown(page: Page, css: str, text: str | None = None):
    """What the open chat shows."""
    return page.locator(f".log:not([hidden]) {css}", has_text=text)


async def meet(page: Page, demo: Demo) -> None:
    """Open the page, where the bot has said its first words."""
    await page.goto(demo.url)
    await expect(shown(page, ".bubble.bot", "I split Suno songs")).to_be_visible()


async def test_a_newcomer_splits_a_song_plays_it_and_gets_the_full_set(demo, page):
    await meet(page, demo)
    await say(page, f"/stems {SONG}")
    status = shown(page, ".bubble.bot").nth(1)
    await expect(status).to_contain_text("10 credits", timeout=5_000)
    await expect(status.get_by_role("button", name="Cancel")).to_be_visible()
    await expect(status).to_contain_text("so far", timeout=15_000)
    await expect(status).to_contain_text("Delivered: Vocals, Instrumental", timeout=SPLIT_WITHIN_MS)
    assert await shown(page, ".audio b").all_inner_texts() == [
        "Paper Boats (Vocals)",
        "Paper Boats (Instrumental)",
    ]

    vocals, instrumental = page.locator("audio").nth(0), page.locator("audio").nth(1)
    await vocals.focus()
    await page.keyboard.press("Space")
    await page.wait_for_function("document.querySelectorAll('audio')[0].currentTime > 0.3")
    await instrumental.evaluate("player => player.play()")
    await page.wait_for_function("document.querySelectorAll('audio')[1].currentTime > 0.3")
    assert await vocals.evaluate("player => player.paused")

    await status.get_by_role("button", name="Full set").click()
    await expect(page.locator("audio")).to_have_count(14, timeout=SPLIT_WITHIN_MS)


async def test_what_the_terminal_says_to_try_is_what_the_page_offers(demo, page):
    await meet(page, demo)
    chips = page.locator("#examples button")
    assert await chips.all_inner_texts() == [example.label for example in chat_page.EXAMPLES]
    for example in (chat_page.TWO_STEMS, chat_page.A_LINK, chat_page.A_FAILURE):
        assert example.text in demo.printed
    await page.get_by_role("button", name=chat_page.A_LINK.label).click()
    await expect(shown(page, ".bubble.own", chat_page.A_LINK.text)).to_be_visible()
    await expect(shown(page, ".key")).to_have_count(2)
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")


async def test_foreign_text_stays_text_and_a_phone_never_scrolls_sideways(demo, page):
    await meet(page, demo)
    await say(page, "/stems <img src=/none>" + "x" * 200)
    await expect(shown(page, ".bubble.bot", "is not a song id")).to_contain_text("<img")
    assert await page.locator("#logs img").count() == 0
    widths = "[document.documentElement.scrollWidth, innerWidth, ...[...document.querySelectorAll('.log')]"
    page_width, window_width, *logs = await page.evaluate(
        f"{widths}.flatMap(log => [log.scrollWidth, log.clientWidth])]"
    )
    assert page_width == window_width
    assert logs[0::2] == logs[1::2]


async def test_in_the_group_only_the_one_who_asked_may_press(demo, page):
    await meet(page, demo)
    await page.get_by_role("button", name="Band").click()
    await shown(page, ".bubble", "Listen to this").get_by_role("button", name="Reply").click()
    await say(page, "/stems")
    cancel = shown(page, ".bubble.bot").get_by_role("button", name="Cancel")
    await expect(cancel).to_be_visible()
    await page.get_by_label("Speak as").select_option("Ann")
    await cancel.click()
    await expect(page.get_by_role("dialog")).to_contain_text("Only the person who asked")
    await page.get_by_role("button", name="OK").click()
    await page.get_by_label("Speak as").select_option("You")
    await cancel.click()
    await expect(page.locator("#toast")).to_contain_text("Nothing was charged")


async def test_the_page_comes_back_with_the_demo(demo, page, tmp_path, port):
    await meet(page, demo)
    await say(page, "/credits")
    await expect(shown(page, ".bubble.bot", "You have 500 credits.\nVocals")).to_be_visible()
    await demo.end(TERMINATED)
    await expect(page.locator("#trouble")).to_be_visible()
    async with running(tmp_path, port):
        await expect(page.locator("#trouble")).to_be_hidden()
        await expect(shown(page, ".bubble.own")).to_have_text(["/start"], use_inner_text=False)


@pytest.mark.parametrize("by", [INTERRUPTED, TERMINATED])
async def test_it_ends_without_a_complaint_and_leaves_nothing(demo, page, tmp_path, by):
    await meet(page, demo)  # an open page holds an event stream
    await say(page, f"/stems {SONG}")
    await expect(shown(page, ".key", "Cancel")).to_be_visible()
    assert await demo.end(by) == (0, "")
    assert list((tmp_path / "temporary").iterdir()) == []


async def test_a_taken_port_is_told_in_one_line(tmp_path, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        process = await start(tmp_path, port)
        async with asyncio.timeout(READY_WITHIN_S):
            printed, complaints = await process.communicate()
    assert (process.returncode, printed) == (1, b"")
    assert complaints.decode().splitlines() == [
        f"Port {port} is taken. Try another one: stembot demo --port {port + 1}"
    ]
