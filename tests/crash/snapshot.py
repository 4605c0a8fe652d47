"""What the bot's database file says, read from outside: while it is at work, and after it was killed.

Nothing is changed by reading, so a killed bot finds its file as it left it.
"""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

JOBS = """
    SELECT jobs.id, chat_id, message_id, jobs.state, mode, audio_id, separation_id,
           acknowledged_at IS NOT NULL AS acknowledged, status_message_id,
           status_due_at IS NULL AND status_claimed_until IS NULL AS is_told
    FROM jobs JOIN separations ON separations.id = separation_id
"""
SEPARATIONS = "SELECT id, audio_id, mode, state, upstream_task_id FROM separations"
SENDING = """
    SELECT chat_id, message_id, stem_ids_json FROM parts JOIN jobs ON jobs.id = job_id
    WHERE parts.state = 'sending'
"""
ALBUMS_SENT = "SELECT count(*) FROM parts WHERE kind = 'album' AND state = 'sent'"
UNHANDLED = "SELECT count(*) FROM updates WHERE handled_at IS NULL"
GIVEN_UP = "SELECT update_id || ': ' || why FROM updates WHERE handled_at IS NOT NULL AND why IS NOT NULL"
OPEN_JOBS = {"waiting", "leaving", "delivering"}
OPEN_SEPARATIONS = {"queued", "submitting", "running", "uncertain"}


@dataclass(frozen=True)
class Job:
    id: int
    chat_id: int
    message_id: int
    state: str
    mode: str
    audio_id: str
    separation_id: int
    acknowledged: bool
    status_message_id: int | None
    is_told: bool  # no edit of its status message is due


@dataclass(frozen=True)
class Separation:
    id: int
    audio_id: str
    mode: str
    state: str
    upstream_task_id: str | None


@dataclass(frozen=True)
class Sending:
    """A part of a delivery whose send has begun, and whose end is not written down."""

    chat_id: int
    message_id: int
    stems: frozenset[str]


@dataclass(frozen=True)
class Snapshot:
    """All at one moment."""

    jobs: tuple[Job, ...] = ()
    separations: tuple[Separation, ...] = ()
    sending: tuple[Sending, ...] = ()
    albums_sent: int = 0
    unhandled: int = 0
    given_up: tuple[str, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Nothing is left to be done or said."""
        is_open = [job for job in self.jobs if job.state in OPEN_JOBS or not job.is_told]
        is_running = [each for each in self.separations if each.state in OPEN_SEPARATIONS]
        return not (is_open or is_running or self.unhandled)

    def jobs_of(self, chat_id: int, message_id: int) -> list[Job]:
        """What one command, and the buttons under its answers, asked for."""
        return [job for job in self.jobs if (job.chat_id, job.message_id) == (chat_id, message_id)]

    def separations_of(self, audio_id: str) -> list[Separation]:
        return [each for each in self.separations if each.audio_id == audio_id]


def read(file: Path) -> Snapshot:
    """The file as it is now; an empty snapshot where the bot was killed before it had made its tables."""
    if not file.exists():
        return Snapshot()
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, isolation_level=None)) as db:
        db.execute("BEGIN")  # one moment for all that follows
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone():
            return Snapshot()
        return Snapshot(
            jobs=tuple(_job(row) for row in db.execute(JOBS)),
            separations=tuple(Separation(*row) for row in db.execute(SEPARATIONS)),
            sending=tuple(_sending(db, row) for row in db.execute(SENDING).fetchall()),
            albums_sent=db.execute(ALBUMS_SENT).fetchone()[0],
            unhandled=db.execute(UNHANDLED).fetchone()[0],
            given_up=tuple(row[0] for row in db.execute(GIVEN_UP)),
        )


def _job(row: tuple) -> Job:
    *facts, acknowledged, status_message_id, is_told = row
    return Job(*facts, bool(acknowledged), status_message_id, bool(is_told))


def _sending(db: sqlite3.Connection, row: tuple) -> Sending:
    chat_id, message_id, stem_ids_json = row
    ids = json.loads(stem_ids_json)
    names = db.execute(f"SELECT name FROM stems WHERE id IN ({', '.join('?' * len(ids))})", ids)
    return Sending(chat_id, message_id, frozenset(name for (name,) in names))
