"""Sending a job's stems, part by part, and what to do about every way in which that can fail.

The ladder for a file: Telegram's own file_id, an upload, alone instead of in an album, a link.
"""

import logging
from collections.abc import Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass

from telegram import Message
from telegram.error import TelegramError

from bot import texts
from bot.delivery import calls, captions, items, records, replan
from bot.delivery.fetch import FetchError
from bot.delivery.items import Fetched, Files, Found
from bot.delivery.records import Load
from bot.delivery.replan import Replanned, TryLater
from bot.insisting import insist
from bot.intake.limiter import Dropped
from bot.outcomes import Outcome, is_about_file, is_new_place, outcome_of, wait_s
from bot.services import Services
from storage import archive, deliveries, separations
from storage.deliveries import PartKind, PartState, stem_ids
from storage.rows import Job, Part, Stem

logger = logging.getLogger(__name__)

LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """Everything that can go into the chat is there."""


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing is lost: go on in ``seconds``, where the chat ``changed``, at its new place. ``why`` is for the
    person who waits. It ``failed``, unless it only was not its turn yet."""

    seconds: float
    why: str | None = None
    changed: TelegramError | Dropped | None = None
    failed: bool = True


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """The chat, or every file, is gone."""

    why: str
    chat_gone: bool = False


Ending = Done | Later | Undeliverable


async def deliver(services: Services, job: Job) -> Ending:
    """Send what is left of a job's stems. Everything is recorded as it happens, so it can stop anywhere."""
    async with aclosing(items.Files(services)) as files:
        return await _deliver(services, files, job)


async def _deliver(services: Services, files: Files, job: Job) -> Ending:
    while True:
        async with records.writing(services, job) as db:
            load = await records.load(db, job, bot_id=services.bot.id, max_bytes=services.upload_max_bytes)
            load = load.without_file_ids(files.refused_ids)
            if not load.stems:
                return Undeliverable("these stems are not kept any more")
            if not load.parts:
                await records.begin(db, job, load, now=services.now())
                continue
            part = load.next_part()
            if part is None:
                break
            await deliveries.mark(db, part, PartState.SENDING, now=services.now())
        ending = await _send(services, files, job, load, part)
        if ending is not None:
            return ending
    return await _close(services, job, load)


async def _close(services: Services, job: Job, load: Load) -> Ending:
    """Every part was tried: stems that could not be sent go out as links; without any stem it failed."""
    if left := load.unsent(now=services.now()):
        async with records.writing(services, job) as db:
            await deliveries.add(db, job, [(PartKind.LINKS, [stem.id for stem in left])], now=services.now())
        return await deliver(services, job)
    if not any(part.state in (PartState.SENT, PartState.UNKNOWN) for part in load.parts):
        return Undeliverable(_why_nothing(load))
    return Done()


def _why_nothing(load: Load) -> str:
    """Why not one stem is there, for the person."""
    if any(part.kind == PartKind.LINKS for part in load.parts):
        return "Telegram refused the stems and their links"
    if any(part.why == texts.NO_FILES_HERE for part in load.parts):
        return f"{texts.NO_FILES_HERE}, and the links to it work no longer"
    if any(part.state == PartState.REFUSED for part in load.parts):
        return "Telegram refused the stems, and the links to them work no longer"
    return "the stems can't be fetched from the upstream any more"


async def _send(services: Services, files: Files, job: Job, load: Load, part: Part) -> Ending | None:
    """One part. None: recorded, go on with the next."""
    try:
        match part.kind:
            case PartKind.LINKS:
                messages: Sequence[Message] = await calls.send_links(
                    services, job, captions.links(load, part)
                )
            case PartKind.URL:
                messages = await calls.send_url(services, job, *captions.url(load, part))
            case _:
                return await _fetch_and_send(services, files, job, load, part)
    except (TelegramError, Dropped) as error:
        return await _after(services, files, job, load, part, error)
    await _sent(services, job, load, part, messages)
    return None


async def _fetch_and_send(
    services: Services, files: Files, job: Job, load: Load, part: Part
) -> Ending | None:
    """Files: what is not with Telegram yet is downloaded first, and listened to."""
    stems = load.stems_of(part)
    if any(stem.id not in load.kept for stem in stems):
        await calls.show_uploading(services, job)
    found = await files.sources(load, stems)
    peaks = await _heard(services, job, load, found)
    match replan.replanned(job, load, part, found, peaks):
        case TryLater(seconds):
            return Later(seconds, texts.DOWNLOAD_BROKE)
        case Replanned() as replanned:
            await replanned.write(services, job, part)
            return None
    messages = await _send_files(services, job, load, stems, found)
    await _sent(services, job, load, part, messages)
    return None


async def _sent(services: Services, job: Job, load: Load, part: Part, messages: Sequence[Message]) -> None:
    async def write() -> None:
        async with records.writing(services, job) as db:
            await records.sent(db, services, part, messages, load)

    await insist(f"job {job.id}", write)  # else it would be sent once more


async def _heard(services: Services, job: Job, load: Load, found: Found) -> dict[int, float | None]:
    """Remember what the downloads told; by stem id, how loud each gets."""
    fetched = [source for source in found.values() if isinstance(source, Fetched)]
    new = [source for source in fetched if source.stem.peak_dbfs is None]
    if new:
        async with records.writing(services, job) as db:
            for source in new:
                await separations.heard(
                    db,
                    source.stem.id,
                    peak_dbfs=source.peak_dbfs,
                    duration_s=source.duration_s,
                    size_bytes=None if load.fits else source.size_bytes,
                )
    return {source.stem.id: source.peak_dbfs for source in fetched}


async def _send_files(
    services: Services,
    job: Job,
    load: Load,
    stems: Sequence[Stem],
    found: Found,
) -> Sequence[Message]:
    with ExitStack() as opened:
        wanted = [
            items.item(load.song, stem, source, opened, in_album=len(stems) > 1)
            for stem in stems
            if not isinstance(source := found[stem.id], FetchError)
        ]
        return await calls.send_files(services, job, wanted, captions.of_files(load, stems, found))


async def _after(
    services: Services, files: Files, job: Job, load: Load, part: Part, error: TelegramError | Dropped
) -> Ending | None:
    """What follows from a send that raised."""
    outcome = outcome_of(error)
    logger.warning("job %s: part %s: %s: %s", job.id, part.position, outcome, error)
    match outcome:
        case Outcome.NO_CHAT:
            await _mark(services, job, part, PartState.REFUSED, str(error))
            return Undeliverable(texts.CHAT_GONE, chat_gone=True)
        case Outcome.CHANGED if is_new_place(error, job.chat_id, job.thread_id):
            return Later(0.0, changed=error)
        case Outcome.UNKNOWN:
            # Telegram usually has it; a second copy is worse than a button that sends again.
            await _mark(services, job, part, PartState.UNKNOWN, str(error))
            return None
        case Outcome.NO_FILES if part.kind != PartKind.LINKS:
            # Nothing else of this kind will be taken here: what is left goes as links.
            async with records.writing(services, job) as db:
                await deliveries.refuse_rest(db, job, now=services.now(), why=texts.NO_FILES_HERE)
            return None
        case Outcome.REFUSED | Outcome.TOO_BIG | Outcome.NO_FILES | Outcome.CHANGED:
            await _after_refusal(services, files, job, load, part, str(error))
            return None
        case _:
            asked_s = wait_s(error)
            backoff_s = min(2.0**job.failures, LONGEST_WAIT_S)
            return Later(max(asked_s or 0.0, backoff_s), _why_later(job, error), failed=asked_s is None)


def _why_later(job: Job, error: TelegramError | Dropped) -> str:
    if wait_s(error) is None:
        return texts.TELEGRAM_AWAY
    return texts.GROUP_FULL if job.chat_id < 0 else texts.TELEGRAM_BUSY


async def _after_refusal(
    services: Services, files: Files, job: Job, load: Load, part: Part, why: str
) -> None:
    """The next rung. What Telegram keeps of a stem stays in the archive while it may be good elsewhere."""
    kept = [] if part.kind == PartKind.LINKS else [one for one in stem_ids(part) if one in load.kept]
    if kept and load.have_links(kept, now=services.now()):
        files.refused_ids.update(kept)  # an old file_id may be what it does not like: upload these again
        return
    async with records.writing(services, job) as db:
        if part.kind == PartKind.ALBUM:
            singles = [(PartKind.SINGLE, [stem_id]) for stem_id in stem_ids(part)]
            await deliveries.replace(db, job, part, singles, now=services.now())
            return
        if is_about_file(why):
            for stem_id in kept:
                await archive.forget(db, stem_id, bot_id=services.bot.id)
        await deliveries.mark(db, part, PartState.REFUSED, now=services.now(), why=why)


async def _mark(services: Services, job: Job, part: Part, state: PartState, why: str) -> None:
    async with records.writing(services, job) as db:
        await deliveries.mark(db, part, state, now=services.now(), why=why)
