"""``stembot demo`` as a newcomer meets it: the real process, and its page in a real browser."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from sandbox import page as chat_page
from tests.end_to_end.processes import STOP_WITHIN_S, Process

STEMBOT = Path(sys.executable).with_name("stembot")
LAST_WORDS_OF_THE_START = "Ctrl-C stops it."
SPLIT_WITHIN_MS, PLAYS_WITHIN_S = 60_000, 15
# Automatic tests have no hands: Chromium would wait for a click before it lets a page play.
CHROMIUM_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required")
SONG = f"{chat_page.SONG.task_id}:{chat_page.SONG.audio_id}"


@dataclass(frozen=True)
class Demo:
    """A running ``stembot demo``."""

    spawned: asyncio.subprocess.Process
    process: Process
    url: str

    async def end(self, by: signal.Signals) -> int:
        """Its exit status."""
        self.spawned.send_signal(by)
        return await self.process.ended(STOP_WITHIN_S)


async def start(folder: Path, port: int) -> Demo:
    """Where everything that it must not read is wrong."""
    (folder / ".env").write_text("HTTP_PORT=wrong\nTELEGRAM_TOKEN=wrong\n")
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    spawned = await asyncio.create_subprocess_exec(
        STEMBOT, "demo", "--no-open", "--port", str(port),
        cwd=folder,
        env={"TMPDIR": str(temporary), "PROVIDERS": "wrong", "LOG_LEVEL": "wrong"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    return Demo(spawned, Process(spawned), f"http://127.0.0.1:{port}")


@asynccontextmanager
async def running(folder: Path, port: int) -> AsyncIterator[Demo]:
    demo = await start(folder, port)
    try:
        await demo.process.line(LAST_WORDS_OF_THE_START)
        yield demo
    finally:
        await demo.process.kill()


@pytest.fixture
async def demo(tmp_path, free_port) -> AsyncIterator[Demo]:
    async with running(tmp_path, free_port) as demo:
        yield demo


@pytest.fixture
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        told = "needs Chromium on PATH: `apt-get install chromium`, or your system's package of it"
        # All else can be tested without a browser; where the result decides, nothing may be left out.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)
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


def shown(page: Page, css: str, text: str | None = None) -> Locator:
    """What the open chat shows."""
    return page.locator(f".log:not([hidden]) {css}", has_text=text)


async def play(page: Page, player: Locator) -> None:
    """Press play, with the keyboard, and hear that it goes on."""
    await player.focus()
    await page.keyboard.press("Space")
    async with asyncio.timeout(PLAYS_WITHIN_S):
        await player.evaluate(
            "player => new Promise(heard =>"
            " player.addEventListener('timeupdate', () => player.currentTime > 0.3 && heard()))"
        )


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
    await play(page, vocals)
    await play(page, instrumental)
    assert await vocals.evaluate("player => player.paused")

    await status.get_by_role("button", name="Full set").click()
    await expect(page.locator("audio")).to_have_count(14, timeout=SPLIT_WITHIN_MS)


async def test_what_the_terminal_says_to_try_is_what_the_page_offers(demo, page):
    await meet(page, demo)
    chips = page.locator("#examples button")
    assert await chips.all_inner_texts() == [example.label for example in chat_page.EXAMPLES]
    for example in (chat_page.TWO_STEMS, chat_page.A_LINK, chat_page.A_FAILURE):
        assert example.text in demo.process.output
    await page.get_by_role("button", name=chat_page.A_LINK.label).click()
    await expect(shown(page, ".bubble.own", chat_page.A_LINK.text)).to_be_visible()
    await expect(shown(page, ".key")).to_have_count(2)
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")


async def test_foreign_text_stays_text_and_a_phone_never_scrolls_sideways(demo, page):
    await meet(page, demo)
    await say(page, "/stems <img/src=/none>" + "x" * 200)
    await expect(shown(page, ".bubble.own", "/stems <img/src=/none>")).to_be_visible()
    await expect(shown(page, ".bubble.bot", "is not a song id")).to_be_visible()
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


async def test_the_page_comes_back_with_the_demo(demo, page, tmp_path, free_port):
    await meet(page, demo)
    await say(page, "/credits")
    await expect(shown(page, ".bubble.bot", "welcome credits")).to_be_visible()
    await demo.end(signal.SIGTERM)
    await expect(page.locator("#trouble")).to_be_visible()
    async with running(tmp_path, free_port):
        await expect(page.locator("#trouble")).to_be_hidden()
        await expect(shown(page, ".bubble.own .text")).to_have_text(["/start"])


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
async def test_it_ends_without_a_complaint_and_leaves_nothing(demo, page, tmp_path, by):
    await meet(page, demo)  # an open page holds an event stream
    await say(page, f"/stems {SONG}")
    await expect(shown(page, ".key", "Cancel")).to_be_visible()
    assert await demo.end(by) == 0
    said_at_the_end = demo.process.output.partition(LAST_WORDS_OF_THE_START)[2]
    assert said_at_the_end.split("\n") == ["", "", "Stopped. Nothing was kept."]
    assert list((tmp_path / "temporary").iterdir()) == []


async def test_a_taken_port_is_told_in_one_line(demo, tmp_path, free_port):
    other = await start(tmp_path, free_port)
    assert await other.process.ended() == 1
    another = f"stembot demo --port {free_port + 1}"
    assert other.process.lines == [f"Port {free_port} is taken. Try another one: {another}"]
