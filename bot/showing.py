"""A job as people see it: the text and the buttons of its status message, wherever that is shown."""

import statistics
from dataclasses import dataclass

from telegram import InlineKeyboardMarkup

from bot import keyboards, pricing, texts
from bot.delivery import records
from bot.services import Services
from storage import ledger, separations
from storage.jobs import JobView

ENOUGH = 3  # finished separations before their time says more than experience elsewhere


@dataclass(frozen=True, slots=True)
class Shown:
    text: str
    keyboard: InlineKeyboardMarkup | None

    @property
    def fingerprint(self) -> str:
        return f"{self.text}\n{self.keyboard.to_json() if self.keyboard else ''}"


async def compose(services: Services, view: JobView) -> Shown:
    """A job's status message as it should be now."""
    provider = services.providers.get(view.separation.provider)
    async with services.database.reading() as db:
        balance = await ledger.balance(db, view.job.account_id)
        delivered = await records.delivered(db, view.job)
        second_set = view.job.selection is None and await separations.has_second_set(db, view.separation.id)
    text = texts.status(
        view,
        provider.title if provider else view.separation.provider,
        balance=balance,
        delivered=delivered,
        now=services.now(),
        usual_s=usual_s(services, view.separation.provider, view.separation.mode),
    )
    full_set = pricing.offers_full_set(services.providers, view.separation)
    return Shown(text, keyboards.status(view, full_set=full_set, second_set=second_set))


def usual_s(services: Services, provider: str, mode: str) -> float | None:
    """The median time of the newest separations; None until there are enough."""
    took = services.took.get((provider, mode), ())
    return statistics.median(took) if len(took) >= ENOUGH else None
