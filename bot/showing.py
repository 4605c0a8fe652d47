"""A job as people see it: the text and the buttons of its status message, wherever that is shown."""

import statistics
from dataclasses import dataclass, field

from telegram import InlineKeyboardMarkup

from bot import keyboards, pricing, texts
from bot.delivery import records
from bot.keyboards import Offers
from bot.services import Services
from bot.texts import Delivered
from providers.base import Mode, SongRef
from storage import jobs, ledger, separations
from storage.database import Connection
from storage.jobs import JobView
from storage.rows import Job
from storage.states import OPEN_JOBS, OPEN_SEPARATIONS, JobState, SeparationState

ENDED_WITHOUT_STEMS = (JobState.FAILED, JobState.CANCELLED)
ENOUGH = 3  # finished separations before their time says more than experience elsewhere


@dataclass(frozen=True, slots=True)
class Shown:
    text: str
    keyboard: InlineKeyboardMarkup | None

    @property
    def fingerprint(self) -> str:
        return f"{self.text}\n{self.keyboard.to_json() if self.keyboard else ''}"


WORTH_TELLING_S = 8.0  # shorter waits are over before anybody wonders


def held_up_s(job: Job, now: float) -> float:
    """How long a delivery under way still waits before it goes on; 0 where it does not."""
    if job.state is not JobState.DELIVERING or job.lease is not None or job.due_at is None:
        return 0.0
    wait_s = job.due_at - now
    return wait_s if wait_s >= WORTH_TELLING_S else 0.0


@dataclass(frozen=True, slots=True)
class _Results:
    """What is read from the database only where the message tells something of it."""

    balance: int = 0
    delivered: Delivered = field(default_factory=Delivered)
    again_price: int | None = None
    is_kept: bool = False
    offers: Offers = keyboards.NOTHING_ELSE


async def compose(services: Services, view: JobView) -> Shown:
    """A job's status message as it should be now."""
    provider = services.providers.get(view.separation.provider)
    waits_s = held_up_s(view.job, services.now())
    is_over = view.job.state not in OPEN_JOBS
    results = await _results(services, view) if is_over or waits_s else _Results()
    text = texts.status(
        view,
        provider.title if provider else view.separation.provider,
        balance=results.balance,
        delivered=results.delivered,
        is_lost=await _is_lost(services, view),
        now=services.now(),
        held_up_s=waits_s,
        usual_s=usual_s(services, view.separation.provider, view.separation.mode),
        again_price=results.again_price,
        is_kept=results.is_kept,
    )
    return Shown(text, keyboards.status(view, results.offers))


async def _results(services: Services, view: JobView) -> _Results:
    async with services.database.reading() as db:
        price, is_kept = (
            await again(db, services, view) if view.job.state in ENDED_WITHOUT_STEMS else (None, False)
        )
        return _Results(
            again_price=price,
            is_kept=is_kept,
            balance=await ledger.balance(db, view.job.account_id),
            delivered=await records.delivered(db, view.job, max_bytes=services.upload_max_bytes),
            offers=await _offers(db, services, view),
        )


async def _is_lost(services: Services, view: JobView) -> bool:
    """Whether somebody pays anew for what was made before."""
    is_in_the_making = view.separation.state in OPEN_SEPARATIONS
    pays = view.job.state is JobState.WAITING and view.job.origin == "started"
    if not (is_in_the_making and pays):
        return False
    async with services.database.reading() as db:
        return await separations.made_before(db, view.separation)


async def _offers(db: Connection, services: Services, view: JobView) -> Offers:
    if view.job.state is not JobState.DELIVERED:
        return keyboards.NOTHING_ELSE
    stems, max_bytes = await separations.stems_of(db, view.separation.id), services.upload_max_bytes
    to_fit = records.selected(stems, records.to_fit(view.job.selection), max_bytes)
    if view.job.selection is not None:
        is_fitted = view.job.selection.startswith(records.FIT)
        return Offers(make_fit=bool(to_fit) and not is_fitted)
    first_set = records.selected(stems, None, max_bytes)
    silent = records.selected(stems, "silent", max_bytes)
    return Offers(
        make_fit=bool(to_fit),
        other_mode=pricing.other_mode(services.providers, view.separation),
        second_set=len(stems) > len(first_set),
        silent_stems=0 < len(silent) < len(first_set),
        one_stem=len(first_set) > 1,
    )


async def again(db: Connection, services: Services, view: JobView) -> tuple[int | None, bool]:
    """What asking for the same once more costs, None where nobody would take it; and whether all of it is
    kept, so that nothing has to be made."""
    audio_id, mode, now = view.separation.audio_id, Mode(view.separation.mode), services.now()
    there = await separations.there_for(db, audio_id, mode, bot_id=services.bot.id, now=now)
    if there is None:
        return services.price_of(SongRef(audio_id, view.separation.task_id or view.song.task_id), mode), False
    if view.job.selection is not None:
        return 0, False  # the song is there, what was picked from it may be lost
    # Whoever started it may have got nothing, and so have paid nothing: then the next to ask pays.
    price = services.settings.repeat_price if await jobs.is_paid(db, there.id) else there.price
    return price, there.state is SeparationState.SUCCEEDED


def usual_s(services: Services, provider: str, mode: str) -> float | None:
    """The median time of the newest separations; None until there are enough."""
    took = services.took.get((provider, mode), ())
    return statistics.median(took) if len(took) >= ENOUGH else None
