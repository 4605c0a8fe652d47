"""Twelve stems of 45 MB from a file host into a group, and then from the archive into another.

``stembot run``, the file host and the Bot API are processes of their own on loopback. The stems are WAV, so
each goes as a document of its own: with 45 MB no two fit into a request. The first delivery counts from the
upstream's links to the last upload's answer; beside it a minimal script that downloads four files at a time
to disk and uploads them from there, one after the other and half a second apart, as Stembot does because of
Telegram's throttle of equal sizes; and the same script without that pause. The script does not look into the
files: Stembot listens for silence and writes tags. The repeat counts from the command to the last form of the
status message; beside it the same four requests, bare.
"""

import argparse
import asyncio
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from _report import heading, table
from _stems import GROUP, LAST_FORM, STEMS, Outside, Seen, outside, stem_host

SONG = "5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034"
TASK = "7c1f0e9ab2d34c56a8f0917be2d4c361"
COMMAND = f"/stems {TASK}:{SONG} full"
AT_ONCE = 4
SETTLE_S = 1.0


@dataclass
class Watched:
    """A process's memory, in MB; ``idle`` when the watch began."""

    pid: int
    idle: float = 0.0

    def __post_init__(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # the peak counts from here
        self.idle = self._mb("VmRSS")

    def over_idle(self) -> float:
        return self._mb("VmHWM") - self.idle

    def _mb(self, name: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) / 1000


@contextmanager
def stembot(there: Outside, folder: Path) -> Iterator[int]:
    """The process id of a bot that is at work."""
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder)} | there.settings()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        cwd=folder,
        env=environment | {"PROVIDERS": "sunoapi_org", "LOOK_FIRST_SECONDS": "0.2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        while "is at work" not in (line := process.stdout.readline()):  # type: ignore[union-attr]
            if not line:
                raise RuntimeError("stembot run has ended")
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True)
class Run:
    """Seconds, MB over idle, and what Telegram saw."""

    took_s: float
    memory_mb: float
    seen: Seen


def ours(files: str) -> tuple[Run, Run]:
    """The first delivery, and the repeat."""
    with tempfile.TemporaryDirectory() as name, outside(files) as there, stembot(there, Path(name)) as pid:
        time.sleep(SETTLE_S)
        watched = Watched(pid)
        there.say(1, COMMAND)
        seen = there.seen(LAST_FORM)
        first = Run(seen.sent - seen.first, watched.over_idle(), seen)
        watched = Watched(pid)
        there.say(2, COMMAND)
        seen = there.seen(LAST_FORM)
        return first, Run(seen.last - seen.first, watched.over_idle(), seen)


# The script


async def stream(files: str, there: Outside, folder: Path, apart_s: float) -> float:
    """Seconds from the first request to the last answer."""
    begun, slots = time.perf_counter(), asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:

        async def download(stem: str) -> Path:
            path = folder / stem
            async with slots, client.stream("GET", f"{files}/{stem}.wav") as answer:
                with path.open("wb") as file:
                    async for chunk in answer.aiter_raw():
                        file.write(chunk)
            return path

        downloads = [asyncio.create_task(download(stem)) for stem in STEMS]
        next_at = 0.0
        for downloading in downloads:
            path = await downloading
            await asyncio.sleep(max(next_at - time.perf_counter(), 0.0))
            next_at = time.perf_counter() + apart_s
            with path.open("rb") as file:
                given = {"data": {"chat_id": str(GROUP)}, "files": {"document": (f"{path.name}.wav", file)}}
                await client.post(f"{there.bot_url}/sendDocument", **given)
            path.unlink()
    return time.perf_counter() - begun


def script(files: str, apart_s: float) -> Run:
    """In a process of its own, because of its memory."""
    with tempfile.TemporaryDirectory() as folder, outside(files) as there:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        running = context.Process(target=_script, args=(theirs, files, there, Path(folder), apart_s))
        running.start()
        ours.recv()
        watched = Watched(running.pid or 0)
        ours.send("go")
        took_s = ours.recv()
        found = Run(took_s, watched.over_idle(), there.seen("sendDocument", len(STEMS)))
        ours.send("end")
        running.join()
        return found


def _script(pipe: Any, files: str, there: Outside, folder: Path, apart_s: float) -> None:
    pipe.send("there")
    pipe.recv()
    pipe.send(asyncio.run(stream(files, there, folder, apart_s)))
    pipe.recv()


def bare_requests(files: str) -> Run:
    """What a repeat asks of Telegram, and nothing else."""
    album = '[{"type":"document","media":"file-1"}]'
    with outside(files) as there, httpx.Client(trust_env=False) as client:
        begun = time.perf_counter()
        client.post(f"{there.bot_url}/sendMessage", data={"chat_id": GROUP, "text": "on its way"})
        for _ in range(2):
            client.post(f"{there.bot_url}/sendMediaGroup", data={"chat_id": GROUP, "media": album})
        client.post(f"{there.bot_url}/editMessageText", data={"chat_id": GROUP, "text": "delivered"})
        return Run(time.perf_counter() - begun, 0.0, there.seen("editMessageText"))


# What is printed


def row(name: str, runs: Sequence[Run], beside_s: float) -> list[str]:
    took_s = statistics.median(run.took_s for run in runs)
    seen = runs[-1].seen
    return [
        name,
        f"{took_s:.2f} s",
        f"{took_s / beside_s:.2f}",
        f"{statistics.median(run.memory_mb for run in runs):.0f} MB",
        f"{seen.uploaded_bytes / 1e6:.0f} MB",
        ", ".join(f"{count} {method}" for method, count in Counter(seen.requests).items()),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=45, help="of a stem, in MB")
    parser.add_argument("--apart", type=float, default=0.5, help="seconds, between uploads of the script")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    heading(f"{__doc__.split('.')[0]}. {chosen.rounds} alternating rounds with {chosen.size:g} MB; medians.")
    head = ["", "took", "of the script", "memory over idle", "uploaded", "requests"]
    spaced, flat_out, first, repeat, bare = [], [], [], [], []
    with stem_host(int(chosen.size * 1e6)) as files:
        for _ in range(chosen.rounds):
            spaced.append(script(files, chosen.apart))
            flat_out.append(script(files, 0.0))
            delivery, again = ours(files)
            first.append(delivery)
            repeat.append(again)
            bare.append(bare_requests(files))
    script_s = statistics.median(run.took_s for run in spaced)
    table(head, [
        row("script", spaced, script_s),
        row("script, without pauses", flat_out, script_s),
        row("Stembot", first, script_s),
    ])  # fmt: skip
    bare_s = statistics.median(run.took_s for run in bare)
    head[2] = "of the bare requests"
    table(head, [row("bare requests", bare, bare_s), row("Stembot, from the archive", repeat, bare_s)])
    print("aim: under 40 MB over idle, within 1.2 of the script; from the archive no byte of audio")


if __name__ == "__main__":
    main()
