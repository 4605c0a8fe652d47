"""What somebody who only sent a link is offered: the song in both modes, each with its price."""

from dataclasses import replace

from telegram import InlineKeyboardMarkup

from bot import keyboards, texts
from bot.services import Services
from providers.base import SongRef
from storage import songs


async def offer(services: Services, song: SongRef, owner_id: int | None) -> tuple[str, InlineKeyboardMarkup]:
    async with services.database.transaction() as db:
        known = await songs.ensure(db, song.audio_id, now=services.now())
    prices = services.prices_of(replace(song, task_id=song.task_id or known.task_id))
    return texts.offer(known, prices), keyboards.offer(song, owner_id, prices)
