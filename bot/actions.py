"""What a person does: start, cancel, try again, send again. Each is one transaction; loops do the work."""

from dataclasses import dataclass, replace

from bot import pricing
from bot.services import Services
from providers.base import Mode, Provider, SongRef
from storage import chats, jobs, ledger, lookups, moves, separations, songs
from storage.database import Connection
from storage.rows import Account, Job, Lookup, Separation
from storage.states import JobState, SeparationState


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, where, and by which message or button press.

    ``user_id`` is None for an anonymous admin: the group's account pays and its admins decide.
    ``request_key`` makes the request unique, whatever is delivered twice.
    """

    user_id: int | None
    name: str
    username: str | None
    language: str | None
    chat_id: int
    chat_kind: str
    chat_title: str | None
    message_id: int | None
    thread_id: int | None
    request_key: str


class NoSuchJob(Exception):
    """There is no such job, or it is not this person's."""


class NotPossible(Exception):
    """The job is in a state in which this cannot be done."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} is {job.state}")
        self.job = job


def asker_of(lookup: Lookup) -> Asker:
    """Whoever made a lookup, as the one who asks for the song it found; they are known already."""
    return Asker(
        user_id=lookup.user_id,
        name="",
        username=None,
        language=None,
        chat_id=lookup.chat_id,
        chat_kind="",
        chat_title=None,
        message_id=lookup.message_id,
        thread_id=lookup.thread_id,
        request_key=lookup.request_key,
    )


async def look_up(services: Services, kind: str, reference: str, mode: Mode | None, asker: Asker) -> None:
    """Have the outside asked what a task or a share link holds; a loop answers in the chat."""
    async with services.database.transaction() as db:
        await arrive(db, services, asker)
        await lookups.ask(
            db,
            kind=kind,
            reference=reference,
            mode=mode,
            user_id=asker.user_id,
            chat_id=asker.chat_id,
            message_id=asker.message_id,
            thread_id=asker.thread_id,
            request_key=asker.request_key,
            now=services.now(),
        )
    services.wakes.wake("lookup")


async def arrive(db: Connection, services: Services, asker: Asker) -> Account:
    """Note who asks and where; the account that pays."""
    now = services.now()
    await chats.enter(db, asker.chat_id, kind=asker.chat_kind, title=asker.chat_title, now=now)
    if asker.user_id is None:
        return await ledger.account_of(db, "group", asker.chat_id)
    return await chats.meet(
        db,
        asker.user_id,
        name=asker.name,
        username=asker.username,
        language=asker.language,
        signup_credits=services.settings.signup_credits,
        now=now,
    )


async def start(services: Services, song: SongRef, mode: Mode, asker: Asker) -> Job:
    """A job for this song, with its hold: it starts a separation, joins one, or is served from the archive.

    The same request gives the same job again. Raises InsufficientCredits, NoProvider.
    """
    async with services.database.transaction() as db:
        account = await arrive(db, services, asker)
        if known := await jobs.by_request(db, asker.request_key):
            return known
        separation, origin = await _separation_for(db, services, song, mode)
        price = separation.price if origin == "started" else services.settings.repeat_price
        job = await _create_job(db, services, asker, account, separation, origin, price)
    services.wakes.wake("status", "submit")
    return job


async def send_again(services: Services, job: Job, asker: Asker, selection: str | None = None) -> Job:
    """The stems of a delivered job once more, for nothing; ``selection`` names other ones than its first set.

    Raises NotPossible where they were not delivered, or their files are lost.
    """
    async with services.database.transaction() as db:
        account = await arrive(db, services, asker)
        now_is = await jobs.find(db, job.id)
        if now_is is None or not _had_stems(now_is):
            raise NotPossible(job)
        separation = await separations.get(db, job.separation_id)
        if known := await _same_request(db, asker, separation, selection):
            return known
        kept = await separations.archived_for(
            db, separation.audio_id, separation.mode, bot_id=services.bot.id, now=services.now()
        )
        if kept is None:
            raise NotPossible(job)
        again = await _create_job(db, services, asker, account, kept, "archive", 0, selection)
    services.wakes.wake("status")
    return again


def _had_stems(job: Job) -> bool:
    # What was picked was picked from a job that was delivered.
    return job.state is JobState.DELIVERED or job.selection is not None


async def ask_from_button(services: Services, song: SongRef, mode: Mode, asker: Asker) -> tuple[Job, bool]:
    """As ``start``, but a second tap means the job of the first while that is under way: (job, is new)."""
    async with services.database.transaction() as db:
        await arrive(db, services, asker)
        there = await separations.open_for(db, song.audio_id, mode) or await separations.archived_for(
            db, song.audio_id, mode, bot_id=services.bot.id, now=services.now()
        )
        if there and (known := await _same_request(db, asker, there)):
            return known, False
    return await start(services, song, mode, asker), True


async def cancel(services: Services, job_id: int) -> Job:
    """Withdraw a job; the hold comes back unless others wait for work this job pays.

    Raises NoSuchJob, or NotPossible where it is not waiting any more.
    """
    async with services.database.transaction() as db:
        job, separation = await _locked(db, job_id)
        if job.state is not JobState.WAITING:
            raise NotPossible(job)
        others = [other for other in await jobs.open_on(db, separation.id) if other.id != job.id]
        goes_on = any(other.state is JobState.WAITING for other in others)
        pays = job.origin == "started" and separation.state is not SeparationState.SUCCEEDED
        to = JobState.LEAVING if goes_on and pays else JobState.CANCELLED
        cancelled = await moves.move(db, job, to, now=services.now())
        if not goes_on:
            await _call_off(db, separation, others, now=services.now())
    services.wakes.wake("status")
    return cancelled


async def _call_off(db: Connection, separation: Separation, others: list[Job], *, now: float) -> None:
    """Nobody waits any more: whoever paid for the others gets it back, too. What was ordered goes on, for
    the archive; whoever asks for it next pays."""
    for job in others:
        if job.state is JobState.LEAVING:
            await moves.move(db, job, JobState.CANCELLED, now=now)
    if separation.state is SeparationState.QUEUED:
        await moves.move(db, separation, SeparationState.CANCELLED, now=now)


async def _locked(db: Connection, job_id: int) -> tuple[Job, Separation]:
    # Everybody locks the separation before its jobs and those before their accounts: no deadlocks.
    found = await jobs.find(db, job_id)
    if found is None:
        raise NoSuchJob(str(job_id))
    separation = await separations.get(db, found.separation_id, lock=True)
    return await jobs.find(db, job_id, lock=True) or found, separation


async def _same_request(
    db: Connection, asker: Asker, separation: Separation, selection: str | None = None
) -> Job | None:
    known = await jobs.by_request(db, asker.request_key)
    return known or await jobs.open_like(db, asker.user_id, asker.chat_id, separation.id, selection)


async def _separation_for(
    db: Connection, services: Services, song: SongRef, mode: Mode
) -> tuple[Separation, str]:
    """What the job waits on, and how it came to it: started, joined, archive."""
    now = services.now()
    was_made = False
    if not await songs.note(db, song.audio_id, now=now):
        if running := await separations.open_for(db, song.audio_id, mode):
            return await _with_payer(db, running, "joined")
        if kept := await separations.archived_for(db, song.audio_id, mode, bot_id=services.bot.id, now=now):
            return await _with_payer(db, kept, "archive")
        known = await songs.get(db, song.audio_id)
        song = replace(song, task_id=song.task_id or known.task_id)
        was_made = await separations.was_made(db, song.audio_id, mode)
    provider = pricing.choose(services.providers, song, mode, health=services.health())
    return await _create(db, services, song, mode, provider, was_made=was_made), "started"


async def _with_payer(db: Connection, separation: Separation, origin: str) -> tuple[Separation, str]:
    # Whoever started it may have withdrawn: then the next to ask pays, as if they had started it.
    return separation, origin if await jobs.is_paid(db, separation.id) else "started"


async def _create(
    db: Connection, services: Services, song: SongRef, mode: Mode, provider: Provider, *, was_made: bool
) -> Separation:
    now = services.now()
    deadline_at = now + services.settings.job_deadline_seconds
    # What people may expect from the archive, for nothing, is not ordered before they know its price.
    return await separations.create(
        db,
        audio_id=song.audio_id,
        task_id=song.task_id,
        mode=mode,
        provider=provider.name,
        price=services.settings.price(provider.name, mode),
        now=now,
        deadline_at=deadline_at,
        due_at=deadline_at if was_made else now,
    )


async def _create_job(
    db: Connection,
    services: Services,
    asker: Asker,
    account: Account,
    separation: Separation,
    origin: str,
    price: int,
    selection: str | None = None,
) -> Job:
    now = services.now()
    is_ready = separation.state is SeparationState.SUCCEEDED
    job = await jobs.create(
        db,
        request_key=asker.request_key,
        separation_id=separation.id,
        account_id=account.id,
        user_id=asker.user_id,
        chat_id=asker.chat_id,
        message_id=asker.message_id,
        thread_id=asker.thread_id,
        origin=origin,
        price=price,
        selection=selection,
        created_at=now,
        due_at=now if is_ready else None,
        status_due_at=now,
    )
    await ledger.hold(db, job, now=now)
    return job
