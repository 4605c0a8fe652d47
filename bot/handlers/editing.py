"""Editing the message of a pressed button. Whatever Telegram has against it, the press is still answered:
a second tap edits nothing, and some messages are too old to be edited."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from telegram import InlineKeyboardMarkup, Message
from telegram.error import BadRequest

from bot import keyboards

logger = logging.getLogger(__name__)


async def show(message: Message, text: str, keyboard: InlineKeyboardMarkup | None) -> None:
    with _if_possible():
        await message.edit_text(text, reply_markup=keyboard)


async def show_buttons(message: Message, keyboard: InlineKeyboardMarkup | None) -> None:
    """Other buttons under the same text; the way back to a list stays."""
    with _if_possible():
        await message.edit_reply_markup(keyboards.with_way_back(keyboard, message.reply_markup))


@contextmanager
def _if_possible() -> Iterator[None]:
    try:
        yield
    except BadRequest as error:
        if "not modified" not in str(error):
            logger.warning("a pressed button's message could not be edited: %s", error)
