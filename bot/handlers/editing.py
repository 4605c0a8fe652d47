"""Editing the message of a pressed button: a second tap edits nothing, and is answered like the first."""

from collections.abc import Iterator
from contextlib import contextmanager

from telegram import InlineKeyboardMarkup, Message
from telegram.error import BadRequest

from bot import keyboards


async def show(message: Message, text: str, keyboard: InlineKeyboardMarkup | None) -> None:
    with _shown_already():
        await message.edit_text(text, reply_markup=keyboard)


async def show_buttons(message: Message, keyboard: InlineKeyboardMarkup | None) -> None:
    """Other buttons under the same text; the way back to a list stays."""
    with _shown_already():
        await message.edit_reply_markup(keyboards.with_way_back(keyboard, message.reply_markup))


@contextmanager
def _shown_already() -> Iterator[None]:
    try:
        yield
    except BadRequest as error:
        if "not modified" not in str(error):
            raise
