"""A handler that failed: logged, and told to the intake, which tries the update again."""

import logging

from telegram import Update
from telegram.error import TelegramError

from bot.intake.limiter import Dropped
from bot.outcomes import Outcome, outcome_of
from bot.services import BotContext

logger = logging.getLogger(__name__)


async def on_error(update: object, context: BotContext) -> None:
    error = context.error
    if error is None or not isinstance(update, Update):
        logger.error("outside of any update: %s", error, exc_info=error)
        return
    if isinstance(error, TelegramError | Dropped) and outcome_of(error) is not Outcome.UNSENT:
        # Said, perhaps said, or refused for good: another try would at best say it twice.
        logger.warning("update %s: %s", update.update_id, error)
        return
    logger.error("update %s: handler failed", update.update_id, exc_info=error)
    context.services.failed_updates[update.update_id] = error
