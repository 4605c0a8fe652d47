"""What 10,000 and 100,000 open separations cost: memory, CPU with nothing due, the start, looks a second.

``stembot run`` is a process of its own on a SQLite file with so many running separations, each with the job
of somebody who waits and with its hold; Telegram and the upstream are loopback stand-ins that answer at once
and know no limits. First nothing is due for an hour. Then all are due for a look at once: the looks at one
upstream are made by its four workers; each finds its task still running, and writes that down.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from _loopback import Outside, loopback
from _report import cpu_s, heading, table
from sqlalchemy import Table, insert

from storage import tables
from storage.database import Database
from storage.states import JobState, SeparationState

PROVIDER = "sunoapi_org"
# Those that move a job on; they start together with the others.
LOOPS = {"intake", "status", "deliver", *(f"{name} {PROVIDER}" for name in ("submit", "look", "find"))}
PEOPLE = 1000
LATER_S = 3600.0
WITHIN_S = 60.0
AT_ONCE = 10_000  # rows in one INSERT
SETTLE_S = 3.0  # after a start, before CPU is measured
NO_PROXIES = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Rows = list[dict[str, object]]


@dataclass
class Bot:
    """``stembot run`` as a process, seen from outside."""

    process: "subprocess.Popen[str]"
    started_at: float
    url: str = ""

    def is_at_work(self) -> None:
        """Wait for its own word."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"is at work; (http://\S+)/healthz", line):
                self.url = found[1]
                return
        raise RuntimeError("stembot run has ended")

    def every_loop_goes(self) -> float:
        """Seconds from the start of the process until each loop has said that it is at work."""
        give_up_at = time.monotonic() + WITHIN_S
        while missing := LOOPS - set(re.findall(r'seen_seconds_ago\{part="([^"]+)"\}', self._metrics())):
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"not at work: {missing}")
            time.sleep(0.02)
        return time.perf_counter() - self.started_at

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1000

    def cpu_share(self, during_s: float) -> float:
        """Of one core."""
        before = cpu_s(self.process.pid)
        time.sleep(during_s)
        return (cpu_s(self.process.pid) - before) / during_s

    def _metrics(self) -> str:
        with NO_PROXIES.open(f"{self.url}/metrics", timeout=30) as answer:
            return str(answer.read().decode())


@contextmanager
def running(outside: Outside, file: Path) -> Iterator[Bot]:
    settings = {name.upper(): value for name, value in outside.settings().items()}
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(file.parent),
        "DATABASE_URL": f"sqlite:///{file}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        cwd=file.parent,
        env=environment | settings | {"PROVIDERS": PROVIDER},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        bot = Bot(process, time.perf_counter())
        bot.is_at_work()
        yield bot
    finally:
        process.kill()
        process.communicate()


async def fill(file: Path, count: int, *, due_in_s: float) -> None:
    """A database in which so many separations run."""
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    async with database.transaction() as db:
        for into, rows in rows_of(count, time.time(), due_in_s):
            for first in range(0, len(rows), AT_ONCE):
                await db.execute(insert(into), rows[first : first + AT_ONCE])
    await database.close()


def rows_of(count: int, now: float, due_in_s: float) -> Iterator[tuple[Table, Rows]]:
    people, numbers = range(1, PEOPLE + 1), range(1, count + 1)
    seen = {"first_seen_at": now}
    yield tables.users, [{"id": person, "name": "Ann", **seen} for person in people]
    yield tables.chats, [{"id": person, "kind": "private", **seen} for person in people]
    yield tables.accounts, [{"id": person, "kind": "user", "owner_id": person} for person in people]
    yield tables.entries, [entry("grant", person, 10 + 10 * count, None, now) for person in people]
    yield tables.songs, [{"audio_id": f"song-{n}", "title": "Song", "learnt_at": now} for n in numbers]
    yield tables.separations, [separation(n, now, now + due_in_s) for n in numbers]
    yield tables.jobs, [job(n, now) for n in numbers]
    yield tables.entries, [entry("hold", 1 + n % PEOPLE, -10, n, now) for n in numbers]


def entry(kind: str, account_id: int, amount: int, job_id: int | None, now: float) -> dict[str, object]:
    return {
        "account_id": account_id,
        "kind": kind,
        "amount": amount,
        "job_id": job_id,
        "operation": f"{kind}:{job_id or account_id}",
        "created_at": now,
    }


def separation(number: int, now: float, due_at: float) -> dict[str, object]:
    return {
        "id": number,
        "audio_id": f"song-{number}",
        "task_id": "task",
        "mode": "basic",
        "provider": PROVIDER,
        "price": 10,
        "state": SeparationState.RUNNING,
        "upstream_task_id": f"task-{number}",
        "callback_token": f"token-{number}",
        "created_at": now,
        "submitted_at": now,
        "deadline_at": now + 2 * LATER_S,
        "due_at": due_at,
    }


def job(number: int, now: float) -> dict[str, object]:
    person = 1 + number % PEOPLE
    return {
        "id": number,
        "request_key": f"request-{number}",
        "separation_id": number,
        "account_id": person,
        "user_id": person,
        "chat_id": person,
        "message_id": number,
        "origin": "started",
        "price": 10,
        "state": JobState.WAITING,
        "created_at": now,
        "acknowledged_at": now,
        "status_message_id": number,
        "status_due_at": now + LATER_S,
    }


def idle(outside: Outside, file: Path, during_s: float) -> tuple[float, float, float]:
    """Seconds until every loop goes, megabytes, and the share of a core while nothing is due."""
    with running(outside, file) as bot:
        after_s = bot.every_loop_goes()
        time.sleep(min(SETTLE_S, during_s))
        share = bot.cpu_share(during_s)
        return after_s, bot.memory_mb(), share


def looking(outside: Outside, file: Path, during_s: float) -> tuple[float, float, float]:
    """Seconds from the start to the first look, looks a second, and megabytes at the end."""
    before = outside.calls()["record-info"]
    with running(outside, file) as bot:
        outside.called("record-info", before + 1)
        first_s = time.perf_counter() - bot.started_at
        begun, counted = time.perf_counter(), outside.calls()["record-info"]
        time.sleep(during_s)
        looks = outside.calls()["record-info"] - counted
        return first_s, looks / (time.perf_counter() - begun), bot.memory_mb()


def measure(count: int, during_s: float) -> list[str]:
    with tempfile.TemporaryDirectory() as folder, loopback() as outside:
        later, due = Path(folder, "later.db"), Path(folder, "due.db")
        asyncio.run(fill(later, count, due_in_s=LATER_S))
        asyncio.run(fill(due, count, due_in_s=0.0))
        loops_s, memory_mb, share = idle(outside, later, during_s)
        first_s, looks, busy_mb = looking(outside, due, during_s)
    return [
        f"{count:,}",
        f"{loops_s:.1f} s",
        f"{memory_mb:.0f} MB",
        f"{share:.1%}",
        f"{first_s:.1f} s",
        f"{looks:.0f}",
        f"{busy_mb:.0f} MB",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, nargs="+", default=[1, 10_000, 100_000], help="how many")
    parser.add_argument("--seconds", type=float, default=20.0, help="over which CPU and looks are counted")
    given = parser.parse_args()
    heading(f"{__doc__.partition('.')[0]}. CPU and looks over {given.seconds:.0f} s each.")
    head = ["open", "start to all loops", "memory", "CPU, nothing due", "start to first look", "looks/s"]
    table([*head, "memory, looking"], [measure(count, given.seconds) for count in given.open])
    print("aim for 10,000: under 200 MB, under 5 % of a core, going within 2 s of the start")


if __name__ == "__main__":
    main()
