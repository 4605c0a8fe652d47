"""How many /stems a second: the whole Application with its durable commit, beside a bot that only says "ok".

Both bots poll the same loopback Bot API, which hands out 100 updates at a time, each from another private
chat, of a person and with a song that nobody has seen before. A command counts as taken when the first
message to its chat arrives. Stembot's path there: the update is stored and committed, the handler commits
person, song, separation, job and hold, and a loop claims the job, composes the acknowledgement, sends it and
notes that; SQLite on this disk, synchronous = FULL. Its submit loop works meanwhile at the upstream's pace.
The other bot is python-telegram-bot as it comes, one update after the other; with "concurrent" it handles as
many at a time as Stembot does.

Of Stembot only the budget for all chats together is lifted, the 30 messages a second that Telegram allows.
"""

import argparse
import asyncio
import signal
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from _loopback import TOKEN, Outside, loopback
from _report import cpu_s, heading, table

from bot.app import build
from bot.intake.budgets import Budget
from bot.intake.dispatcher import AT_ONCE
from bot.settings import Settings

TASK = "7c1f0e9ab2d34c56a8f0917be2d4c361"
NO_BUDGET = Budget(1_000_000, 1.0)
AIM = 0.7
BARE, CONCURRENT, OURS = 'bare bot, "ok"', "bare bot, concurrent", "Stembot"


def command_of(name: str, url: str, folder: str) -> list[str]:
    """The process of each bot."""
    if name == OURS:
        return [sys.executable, __file__, "--serve", url, folder]
    at_once = AT_ONCE if name == CONCURRENT else 1
    return [sys.executable, str(Path(__file__).with_name("_bare_bot.py")), url, TOKEN, str(at_once)]


async def serve(url: str, folder: str) -> None:
    """Be Stembot until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    given = {**Outside(url).settings(), "database_url": f"sqlite:///{folder}/stembot.db"}
    app = build(Settings.model_validate(given), files=Path(folder, "downloads"))
    lift_the_budget(app.services.bot.rate_limiter)
    await app.run(stop)


def lift_the_budget(limiter: object) -> None:
    limiter._overall = limiter._lane(NO_BUDGET)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Run:
    """Of one bot and round: for each command the seconds until its chat had an answer, and the CPU for it."""

    answered_after_s: Sequence[float]
    cpu_s: float

    @property
    def rate(self) -> float:
        return len(self.answered_after_s) / self.answered_after_s[-1]

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_s / len(self.answered_after_s)


def measure(name: str, commands: int, round_: int) -> Run:
    with (
        loopback() as outside,
        tempfile.TemporaryDirectory() as folder,
        running(command_of(name, outside.url, folder)) as process,
    ):
        outside.called("getUpdates")
        texts = [f"/stems {TASK}:{uuid.uuid4()}" for _ in range(commands)]
        before = cpu_s(process.pid)
        outside.say(texts, first=1 + round_ * 1_000_000)
        return Run(outside.all_answered(commands), cpu_s(process.pid) - before)


@contextmanager
def running(command: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(*given.serve))
    else:
        compare(given.commands, given.rounds)


def compare(commands: int, rounds: int) -> None:
    heading(f"{__doc__.split('.')[0]}. {rounds} alternating rounds of {commands} commands; medians.")
    runs: dict[str, list[Run]] = {name: [] for name in (BARE, CONCURRENT, OURS)}
    for round_ in range(rounds):
        for name, found in runs.items():
            found.append(measure(name, commands, round_))
    head = ["", "commands/s", "slowest", "fastest", "half answered after", "CPU each", "of the bare bot"]
    bare = median_rate(runs[BARE])
    table(head, [row(name, found, bare) for name, found in runs.items()])
    print(f"ratio {median_rate(runs[OURS]) / bare:.2f}, aim {AIM}")


def median_rate(runs: Sequence[Run]) -> float:
    return statistics.median(run.rate for run in runs)


def row(name: str, runs: Sequence[Run], bare: float) -> list[str]:
    half = statistics.median(statistics.median(run.answered_after_s) for run in runs)
    rates, cpu_ms = [run.rate for run in runs], statistics.median(run.cpu_ms for run in runs)
    return [
        name,
        f"{median_rate(runs):.0f}",
        f"{min(rates):.0f}",
        f"{max(rates):.0f}",
        f"{half:.2f} s",
        f"{cpu_ms:.2f} ms",
        f"{median_rate(runs) / bare:.2f}",
    ]


if __name__ == "__main__":
    main()
