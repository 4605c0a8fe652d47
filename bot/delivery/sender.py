"""Sending a job's stems, part by part, and what to do about every way in which that can fail.

The ladder for a file: Telegram's own file_id, an upload, alone instead of in an album, a link.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from telegram import Message
from telegram.error import TelegramError

from bot import texts
from bot.delivery import calls, items, plan, records
from bot.delivery.fetch import Broken, DiskFull, FetchError, Gone
from bot.delivery.items import Fetched, Source
from bot.delivery.records import Load
from bot.intake.limiter import Dropped
from bot.outcomes import Outcome, is_new_place, outcome_of, wait_s
from bot.services import Services
from providers.stems import family, rank
from storage import archive, deliveries, separations
from storage.deliveries import PartKind, PartState
from storage.rows import Job, Part, Stem

logger = logging.getLogger(__name__)

BROKEN_DOWNLOADS = 4  # deliveries put off for a broken download, before its link is sent instead
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """Everything that can go into the chat is there."""


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing is lost: go on in ``seconds``, where the chat ``changed``, at its new place."""

    seconds: float
    changed: TelegramError | Dropped | None = None


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """The chat, or every file, is gone."""

    why: str
    chat_gone: bool = False


Ending = Done | Later | Undeliverable


async def deliver(services: Services, job: Job) -> Ending:
    """Send what is left of a job's stems. Everything is recorded as it happens, so it can stop anywhere."""
    while True:
        async with records.writing(services, job) as db:
            load = await records.load(db, job, bot_id=services.bot.id)
            if not load.parts:
                await deliveries.add(db, job, records.planned(load.without_silence({})), now=services.now())
                continue
            part = load.next_part()
            if part is None:
                break
            await deliveries.mark(db, part, PartState.SENDING, now=services.now())
        ending = await _send(services, job, load, part)
        if ending is not None:
            return ending
    return await _close(services, job, load)


async def _close(services: Services, job: Job, load: Load) -> Ending:
    """Every part was tried: stems that could not be sent go out as links; without any stem it failed."""
    if left := load.unsent():
        async with records.writing(services, job) as db:
            await deliveries.add(db, job, [(PartKind.LINKS, [stem.id for stem in left])], now=services.now())
        return await deliver(services, job)
    if not any(part.state in (PartState.SENT, PartState.UNKNOWN) for part in load.parts):
        refused = any(part.state == PartState.REFUSED for part in load.parts)
        return Undeliverable(
            "Telegram refused the stems and their links"
            if refused
            else "the stems can't be fetched from the upstream any more"
        )
    return Done()


async def _send(services: Services, job: Job, load: Load, part: Part) -> Ending | None:
    """One part. None: recorded, go on with the next."""
    try:
        match part.kind:
            case PartKind.LINKS:
                messages: Sequence[Message] = await calls.send_links(services, job, _links_text(load, part))
            case PartKind.URL:
                messages = await calls.send_url(services, job, *_url(load, part))
            case _:
                return await _fetch_and_send(services, job, load, part)
    except (TelegramError, Dropped) as error:
        return await _after(services, job, load, part, error)
    await _sent(services, job, load, part, messages)
    return None


async def _fetch_and_send(services: Services, job: Job, load: Load, part: Part) -> Ending | None:
    """Files: what is not with Telegram yet is downloaded first, and listened to."""
    stems, places = load.stems_of(part), _places(load)
    if any(stem.id not in load.kept for stem in stems):
        await calls.show_uploading(services, job)
    async with items.sources(services.fetcher, load.song, stems, load.kept, places) as found:
        peaks = await _heard(services, job, found)
        match _replanned(job, load, part, found, peaks):
            case Later() as later:
                return later
            case Replanned() as replanned:
                await replanned.write(services, job, part)
                return None
        messages = await _send_files(services, job, load, stems, found)
    await _sent(services, job, load, part, messages)
    return None


async def _sent(services: Services, job: Job, load: Load, part: Part, messages: Sequence[Message]) -> None:
    async with records.writing(services, job) as db:
        stems = () if part.kind == PartKind.LINKS else load.stems_of(part)
        await records.sent(db, services, part, messages, stems)


async def _heard(
    services: Services, job: Job, found: Mapping[int, Source | FetchError]
) -> dict[int, float | None]:
    """Remember what the downloads told; by stem id, how loud each gets."""
    fetched = [source for source in found.values() if isinstance(source, Fetched)]
    new = [source for source in fetched if source.stem.peak_dbfs is None]
    if new:
        async with records.writing(services, job) as db:
            for source in new:
                await separations.heard(
                    db, source.stem.id, peak_dbfs=source.peak_dbfs, duration_s=source.duration_s
                )
    return {source.stem.id: source.peak_dbfs for source in fetched}


def _places(load: Load) -> dict[int, tuple[int, int]]:
    return {stem_id: (place, len(load.stems)) for place, stem_id in enumerate(load.stems, start=1)}


def _url(load: Load, part: Part) -> tuple[str, str]:
    """Address and title of a file that Telegram shall fetch itself."""
    (stem,) = load.stems_of(part)
    name = plan.song_name(load.song.title, load.song.audio_id)
    return stem.url or "", plan.title_of(name, stem.name, stem.set_number)


async def _send_files(
    services: Services,
    job: Job,
    load: Load,
    stems: Sequence[Stem],
    found: Mapping[int, Source | FetchError],
) -> Sequence[Message]:
    with ExitStack() as opened:
        wanted = [
            items.item(load.song, stem, source, opened, in_album=len(stems) > 1)
            for stem in stems
            if not isinstance(source := found[stem.id], FetchError)
        ]
        return await calls.send_files(services, job, wanted, _caption(load, stems))


def _caption(load: Load, stems: Sequence[Stem]) -> str:
    """Which of all stems these are; those that were left out keep their numbers."""
    name, places = escape(plan.song_name(load.song.title, load.song.audio_id)), _places(load)
    first, last, total = places[stems[0].id][0], places[stems[-1].id][0], len(load.stems)
    if len(stems) == total:
        return f"{name} · {total} stems" if total > 1 else name
    return f"{name} · {f'{first}–{last}' if last > first else first} of {total}"


@dataclass(frozen=True, slots=True)
class Replanned:
    """A part that cannot go as it is: ``parts`` take its place, ``closed`` stems, by id, are not sent."""

    parts: Sequence[tuple[PartKind, Sequence[int]]]
    closed: Mapping[int, PartState]

    async def write(self, services: Services, job: Job, part: Part) -> None:
        async with records.writing(services, job) as db:
            await deliveries.replace(db, job, part, self.parts, closed=self.closed, now=services.now())
            gone = [stem_id for stem_id, state in self.closed.items() if state is PartState.GONE]
            await separations.lose_links(db, gone, now=services.now())


def _replanned(
    job: Job,
    load: Load,
    part: Part,
    found: Mapping[int, Source | FetchError],
    peaks: Mapping[int, float | None],
) -> Replanned | Later | None:
    """None where every file is there, audible, and they fit into one send."""
    failed = {stem_id: error for stem_id, error in found.items() if isinstance(error, FetchError)}
    for stem_id, error in failed.items():
        kind = type(error).__name__
        logger.warning("job %s: stem %s: %s: %s", job.id, load.stems[stem_id].name, kind, error)
    if any(isinstance(error, Broken) for error in failed.values()) and job.failures < BROKEN_DOWNLOADS:
        return Later(2.0 ** (job.failures + 1))
    audible = {stem.id for stem in load.without_silence(peaks)}
    sizes = {stem_id: source.size_bytes for stem_id, source in found.items() if isinstance(source, Fetched)}
    there = [stem for stem in load.stems_of(part) if stem.id not in failed and stem.id in audible]
    wanted = records.planned(there, sizes)
    if len(there) == len(found) and len(wanted) == 1 and wanted[0][0] != PartKind.LINKS:
        return None
    by_url = [one for one, error in failed.items() if _telegram_may_fetch(load.stems[one], error)]
    too_big = [stem_id for kind, stem_ids in wanted if kind == PartKind.LINKS for stem_id in stem_ids]
    closed = {one: PartState.SILENT for one in found if one not in failed and one not in audible}
    closed |= {one: PartState.REFUSED for one in (*failed, *too_big) if one not in by_url}
    closed |= {one: PartState.GONE for one, error in failed.items() if isinstance(error, Gone)}
    files = [one for one in wanted if one[0] != PartKind.LINKS]
    return Replanned([*files, *((PartKind.URL, [one]) for one in by_url)], closed)


def _telegram_may_fetch(stem: Stem, error: FetchError) -> bool:
    """Where our own disk is full, Telegram's is not."""
    return isinstance(error, DiskFull) and calls.may_be_fetched(stem.url)


async def _after(
    services: Services, job: Job, load: Load, part: Part, error: TelegramError | Dropped
) -> Ending | None:
    """What follows from a send that raised."""
    outcome = outcome_of(error)
    logger.warning("job %s: part %s: %s: %s", job.id, part.position, outcome, error)
    match outcome:
        case Outcome.NO_CHAT:
            return Undeliverable(str(error), chat_gone=True)
        case Outcome.CHANGED if is_new_place(error, job.chat_id, job.thread_id):
            return Later(0.0, error)
        case Outcome.UNKNOWN:
            # Telegram usually has it; a second copy is worse than a button that sends again.
            await _mark(services, job, part, PartState.UNKNOWN, str(error))
            return None
        case Outcome.NO_FILES:
            # Nothing else of this kind will be taken here: what is left goes as links.
            async with records.writing(services, job) as db:
                await deliveries.refuse_rest(db, job, now=services.now(), why=texts.NO_FILES_HERE)
            return None
        case Outcome.REFUSED | Outcome.TOO_BIG | Outcome.CHANGED:
            await _after_refusal(services, job, load, part, str(error))
            return None
        case _:
            backoff_s = min(2.0**job.failures, LONGEST_WAIT_S)
            return Later(max(wait_s(error) or 0.0, backoff_s))


async def _after_refusal(services: Services, job: Job, load: Load, part: Part, why: str) -> None:
    kept = [stem_id for stem_id in deliveries.stem_ids(part) if stem_id in load.kept]
    async with records.writing(services, job) as db:
        if kept and part.kind != PartKind.LINKS:
            # An old file_id may be what Telegram does not like: upload these again.
            for stem_id in kept:
                await archive.forget(db, stem_id, bot_id=services.bot.id)
        elif part.kind == PartKind.ALBUM:
            singles = [(PartKind.SINGLE, [stem_id]) for stem_id in deliveries.stem_ids(part)]
            await deliveries.replace(db, job, part, singles, now=services.now())
        else:
            await deliveries.mark(db, part, PartState.REFUSED, now=services.now(), why=why)


async def _mark(services: Services, job: Job, part: Part, state: PartState, why: str) -> None:
    async with records.writing(services, job) as db:
        await deliveries.mark(db, part, state, now=services.now(), why=why)


def _links_text(load: Load, part: Part) -> str:
    stems = sorted(load.stems_of(part), key=lambda stem: rank(stem.name))
    families: dict[str, list[tuple[str, str]]] = {}
    for stem in stems:
        if stem.url:
            families.setdefault(family(stem.name), []).append((stem.name, stem.url))
    ends = [stem.expires_at for stem in stems if stem.expires_at]
    expires = f"{datetime.fromtimestamp(min(ends), UTC):%-d %B %Y}" if ends else None
    return texts.links(load.song, families, expires)
