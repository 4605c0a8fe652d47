"""What becomes of a part once its downloads told more than was known when it was planned."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.delivery import calls, records
from bot.delivery.fetch import Broken, Denied, DiskFull, FetchError, Gone
from bot.delivery.items import Fetched, Found
from bot.delivery.records import Load
from bot.services import Services
from storage import deliveries, separations
from storage.deliveries import PartKind, PartState
from storage.rows import Job, Part, Stem

logger = logging.getLogger(__name__)

WHOLE_AGAIN = 1  # times that a part waits for one of its downloads; then the rest goes first
BROKEN_DOWNLOADS = 4  # deliveries put off for a broken download, before its link is sent instead


@dataclass(frozen=True, slots=True)
class TryLater:
    """A download broke off; the next may not."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Replanned:
    """A part that cannot go as it is: ``parts`` take its place, ``closed`` stems, by id, are not sent, and
    ``at_the_end`` parts come after all others."""

    parts: Sequence[tuple[PartKind, Sequence[int]]]
    closed: Mapping[int, PartState]
    at_the_end: Sequence[tuple[PartKind, Sequence[int]]] = ()

    async def write(self, services: Services, job: Job, part: Part) -> None:
        async with records.writing(services, job) as db:
            await deliveries.replace(db, job, part, self.parts, closed=self.closed, now=services.now())
            await deliveries.add(db, job, self.at_the_end, now=services.now())
            gone = [stem_id for stem_id, state in self.closed.items() if state is PartState.GONE]
            await separations.lose_links(db, gone, now=services.now())


def replanned(
    job: Job, load: Load, part: Part, found: Found, peaks: Mapping[int, float | None]
) -> Replanned | TryLater | None:
    """None where every file is there, audible, and they fit into one send."""
    failed = {stem_id: error for stem_id, error in found.items() if isinstance(error, FetchError)}
    for stem_id, error in failed.items():
        kind = type(error).__name__
        logger.warning("job %s: stem %s: %s: %s", job.id, load.stems[stem_id].name, kind, error)
    tried_later = _broken(failed) if job.failures < BROKEN_DOWNLOADS else []
    if tried_later and (job.failures < WHOLE_AGAIN or len(tried_later) == len(found)):
        return TryLater(2.0 ** (job.failures + 1))
    audible = {stem.id for stem in load.without_silence(peaks)}
    there = [stem for stem in load.stems_of(part) if stem.id not in failed and stem.id in audible]
    wanted = _planned(load, there, found)
    if len(there) == len(found) and len(wanted) == 1 and wanted[0][0] != PartKind.LINKS:
        return None
    by_url = [one for one, error in failed.items() if _telegram_may_fetch(load.stems[one], error)]
    too_big = [stem_id for kind, stem_ids in wanted if kind == PartKind.LINKS for stem_id in stem_ids]
    closed = {one: PartState.SILENT for one in found if one not in failed and one not in audible}
    refused = [one for one in (*failed, *too_big) if one not in (*by_url, *tried_later)]
    closed |= dict.fromkeys(refused, PartState.REFUSED)
    closed |= {one: PartState.GONE for one in refused if isinstance(failed.get(one), Gone | Denied)}
    files = [one for one in wanted if one[0] != PartKind.LINKS]
    at_the_end = records.planned(load, [load.stems[one] for one in tried_later], {})
    return Replanned([*files, *((PartKind.URL, [one]) for one in by_url)], closed, at_the_end)


def _broken(failed: Mapping[int, FetchError]) -> list[int]:
    return [stem_id for stem_id, error in failed.items() if isinstance(error, Broken)]


def _planned(load: Load, stems: Sequence[Stem], found: Found) -> list[tuple[PartKind, list[int]]]:
    files = {stem_id: source for stem_id, source in found.items() if isinstance(source, Fetched)}
    sizes = {stem_id: file.size_bytes for stem_id, file in files.items()}
    return records.planned(load, stems, sizes, {stem_id: file.kind for stem_id, file in files.items()})


def _telegram_may_fetch(stem: Stem, error: FetchError) -> bool:
    """Where our own disk is full, Telegram's is not."""
    return isinstance(error, DiskFull) and calls.may_be_fetched(stem)
