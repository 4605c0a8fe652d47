"""How many /stems a second: the whole Application with its durable commit, beside a bot that only says "ok".

Both bots poll the same loopback Bot API, which hands out 100 updates at a time, each from another private
chat. A command counts as taken when the first message to its chat arrives. Stembot's path there: the update
is stored and committed, the handler commits person, song, separation, job and hold, and a loop claims the
job, composes the acknowledgement and sends it; SQLite on this disk, synchronous = FULL. Its submit loop works
meanwhile at the upstream's pace. The other bot is python-telegram-bot as it comes, one update after the
other; with "concurrent" it handles as many at a time as Stembot does.

Of Stembot only the budget for all chats together is lifted, the 30 messages a second that Telegram allows.
"""

import argparse
import asyncio
import multiprocessing
import signal
import statistics
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from _loopback import TOKEN, Outside, loopback
from _report import heading, table
from telegram import Update
from telegram.ext import Application, CommandHandler, ContextTypes

from bot.app import build
from bot.intake.budgets import Budget
from bot.intake.dispatcher import AT_ONCE
from bot.settings import Settings

TASK = "7c1f0e9ab2d34c56a8f0917be2d4c361"
NO_BUDGET = Budget(1_000_000, 1.0)
AIM = 0.7


def run_bare(url: str, _: str, *, at_once: int = 1) -> None:
    async def stems(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await update.message.reply_text("ok")

    builder = Application.builder().token(TOKEN).base_url(f"{url}/bot").concurrent_updates(at_once)
    application = builder.build()
    application.add_handler(CommandHandler("stems", stems))
    application.run_polling()


def run_bare_concurrent(url: str, folder: str) -> None:
    run_bare(url, folder, at_once=AT_ONCE)


def run_stembot(url: str, folder: str) -> None:
    asyncio.run(_stembot(Outside(url).settings(), Path(folder)))


async def _stembot(given: dict[str, str], folder: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = {"database_url": f"sqlite:///{folder / 'stembot.db'}"}
    app = build(Settings.model_validate(given | database), files=folder / "downloads")
    lift_the_budget(app.services.bot.rate_limiter)
    await app.run(stop)


def lift_the_budget(limiter: object) -> None:
    limiter._overall = limiter._lane(NO_BUDGET)  # type: ignore[attr-defined]


BOTS: dict[str, Callable[[str, str], None]] = {
    'bare bot, "ok"': run_bare,
    "bare bot, concurrent": run_bare_concurrent,
    "Stembot": run_stembot,
}


def measure(name: str, commands: int, round_: int) -> list[float]:
    """For each command the seconds until its chat had an answer, from the first update handed out."""
    with loopback() as outside, tempfile.TemporaryDirectory() as folder, running(BOTS[name], outside, folder):
        outside.called("getUpdates")
        texts = [f"/stems {TASK}:{uuid.uuid4()}" for _ in range(commands)]
        outside.say(texts, first=1 + round_ * 1_000_000)
        return outside.all_answered(commands)


@contextmanager
def running(bot: Callable[[str, str], None], outside: Outside, folder: str) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(
        target=bot, args=(outside.url, folder), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(15)
        process.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    commands, rounds = given.commands, given.rounds
    heading(f"{__doc__.split('.')[0]}. {rounds} alternating rounds of {commands} commands; medians.")
    took: dict[str, list[list[float]]] = {name: [] for name in BOTS}
    for round_ in range(rounds):
        for name in BOTS:
            took[name].append(measure(name, commands, round_))
    rates = {name: [commands / times[-1] for times in runs] for name, runs in took.items()}
    bare, *_, ours = (statistics.median(each) for each in rates.values())
    table(
        ["", "commands/s", "slowest", "fastest", "half answered after", "of the bare bot"],
        [row(name, rates[name], took[name], bare) for name in BOTS],
    )
    print(f"ratio {ours / bare:.2f}, aim {AIM}")


def row(name: str, rates: list[float], runs: list[list[float]], bare: float) -> list[object]:
    half = statistics.median(times[len(times) // 2] for times in runs)
    rate = statistics.median(rates)
    return [
        name,
        f"{rate:.0f}",
        f"{min(rates):.0f}",
        f"{max(rates):.0f}",
        f"{half:.2f} s",
        f"{rate / bare:.2f}",
    ]


if __name__ == "__main__":
    main()
