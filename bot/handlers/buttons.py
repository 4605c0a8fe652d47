"""Every button press: who may, then what it does, and an answer to the press in any case."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatAction, ChatMemberStatus, ChatType
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import CallbackQueryHandler

from bot import actions, keyboards, texts
from bot.actions import Asker
from bot.delivery import records
from bot.handlers import credits as credits_pages
from bot.handlers import editing
from bot.handlers import jobs as job_pages
from bot.handlers.asking import asker as asker_of
from bot.handlers.asking import in_the_groups_name
from bot.intake.budgets import Kind
from bot.keyboards import ANYBODY, MODE_OF, BadPress, Press, Verb
from bot.pricing import NoProvider
from bot.services import BotContext, Services
from bot.showing import again, compose
from providers.base import Mode, SongRef
from storage import jobs, separations
from storage.jobs import JobView
from storage.ledger import InsufficientCredits

logger = logging.getLogger(__name__)

ADMINS = {ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR}


@dataclass(frozen=True, slots=True)
class Pressed:
    """A press that may be obeyed."""

    services: Services
    query: CallbackQuery
    message: Message
    presser: Asker
    press: Press
    view: JobView | None  # the job it is about, for verbs that name one

    @property
    def owner(self) -> int:
        """Whose button it is: a user's id, or ANYBODY where an anonymous admin asked."""
        return self.view.job.user_id or ANYBODY if self.view else self.press.number(0)

    @property
    def asker(self) -> Asker:
        """Who asks by it, and pays: what the group asked for, the group pays for, whichever admin presses."""
        return in_the_groups_name(self.presser) if self.owner == ANYBODY else self.presser


async def press(update: Update, context: BotContext) -> None:
    query, asker = update.callback_query, asker_of(update)
    if query is None:
        return
    parsed = keyboards.parse(query.data or "")
    if parsed is None or asker is None or not isinstance(query.message, Message):
        await query.answer(texts.STALE_BUTTON, show_alert=True)
        return
    try:
        pressed = await _pressed(context.services, query, query.message, asker, parsed)
        said = await ACTIONS[parsed.verb](pressed) if await _may(pressed) else texts.NOT_YOURS
    except BadPress:
        said = texts.STALE_BUTTON
    await query.answer(said[:200] if said else None, show_alert=bool(said) and said not in TOASTS)


TOASTS = {texts.CANCELLED_TOAST, texts.SENT_TO_PRIVATE}


async def _pressed(
    services: Services, query: CallbackQuery, message: Message, asker: Asker, parsed: Press
) -> Pressed:
    view = None
    if parsed.verb in NAMES_A_JOB:
        async with services.database.reading() as db:
            view = await jobs.view(db, parsed.number(NAMES_A_JOB[parsed.verb]))
        if view is None:
            raise BadPress("no such job")
    return Pressed(services, query, message, asker, parsed, view)


NAMES_A_JOB = {
    Verb.CANCEL: 0,
    Verb.TRY_AGAIN: 0,
    Verb.SEND_AGAIN: 0,
    Verb.FULL_SET: 0,
    Verb.TWO_STEMS: 0,
    Verb.SECOND_SET: 0,
    Verb.SILENT_STEMS: 0,
    Verb.MAKE_FIT: 0,
    Verb.PICK_STEM: 0,
    Verb.ONE_STEM: 0,
    Verb.FOLD: 0,
    Verb.TO_PRIVATE: 0,
    Verb.OPEN: 1,
}


async def _may(pressed: Pressed) -> bool:
    """Only who asked; for what an anonymous admin asked, the chat's admins."""
    person = pressed.query.from_user.id
    if pressed.owner != ANYBODY:
        return pressed.owner == person
    member = await pressed.message.chat.get_member(person)
    return member.status in ADMINS


async def _cancel(pressed: Pressed) -> str | None:
    job, services = _view(pressed).job, pressed.services
    said = await job_pages.cancelled(services, job.id, job.user_id, job.chat_id)
    if job.status_message_id != pressed.message.message_id:  # opened from /jobs: nobody else edits that
        async with services.database.reading() as db:
            now_is = await jobs.view(db, job.id)
        if now_is:
            await _show(pressed, now_is)
    return said


async def _try_again(pressed: Pressed) -> str | None:
    view = _view(pressed)
    if view.job.selection is not None:
        return await _send(pressed, view.job.selection)
    return await _start(pressed, _song_of(view), Mode(view.separation.mode))


async def _full_set(pressed: Pressed) -> str | None:
    return await _start(pressed, _song_of(_view(pressed)), Mode.FULL)


async def _two_stems(pressed: Pressed) -> str | None:
    return await _start(pressed, _song_of(_view(pressed)), Mode.BASIC)


async def _ask(pressed: Pressed) -> str | None:
    return await _start(pressed, pressed.press.song(1), MODE_OF[pressed.press.verb])


async def _send_again(pressed: Pressed) -> str | None:
    return await _send(pressed, _view(pressed).job.selection)


async def _second_set(pressed: Pressed) -> str | None:
    return await _send(pressed, "set:2")


async def _silent_stems(pressed: Pressed) -> str | None:
    return await _send(pressed, "silent")


async def _make_fit(pressed: Pressed) -> str | None:
    return await _send(pressed, records.to_fit(_view(pressed).job.selection))


async def _one_stem(pressed: Pressed) -> str | None:
    async with pressed.services.database.reading() as db:
        stems = await separations.stems_of(db, _view(pressed).separation.id)
    wanted = next((stem for stem in stems if stem.id == pressed.press.number(1)), None)
    if wanted is None:
        raise BadPress("no such stem")
    return await _send(pressed, records.one(wanted))


async def _pick_stem(pressed: Pressed) -> str | None:
    view, services = _view(pressed), pressed.services
    async with services.database.reading() as db:
        stems = await separations.stems_of(db, view.separation.id)
    await editing.show_buttons(pressed.message, keyboards.stems_of(view.job, records.in_order(stems)))
    return None


async def _fold(pressed: Pressed) -> str | None:
    await editing.show_buttons(pressed.message, (await compose(pressed.services, _view(pressed))).keyboard)
    return None


async def _to_private(pressed: Pressed) -> str | None:
    """Into the private chat of whoever presses; nothing can be sent there before they wrote to the bot."""
    person, services = pressed.query.from_user, pressed.services
    try:
        await services.bot.send_chat_action(person.id, ChatAction.TYPING, rate_limit_args=Kind.ANSWER)
    except (Forbidden, BadRequest):
        return texts.OPEN_PRIVATE_CHAT.format(username=services.bot.username)
    except TelegramError as error:  # it says nothing about the chat: the delivery will see
        logger.info("whether %s can be written to is not known: %s", person.id, error)
    private = replace(
        pressed.presser,
        chat_id=person.id,
        chat_kind=ChatType.PRIVATE,
        chat_title=None,
        message_id=None,
        thread_id=None,
    )
    return await _send(pressed, _view(pressed).job.selection, private) or texts.SENT_TO_PRIVATE


async def _send(pressed: Pressed, selection: str | None, asker: Asker | None = None) -> str | None:
    view = _view(pressed)
    try:
        await actions.send_again(pressed.services, view.job, asker or pressed.asker, selection)
    except actions.NotPossible:
        async with pressed.services.database.reading() as db:
            price, _ = await again(db, pressed.services, view)
        return texts.files_expired(price)
    return None


async def _start(pressed: Pressed, song: SongRef, mode: Mode) -> str | None:
    try:
        job, is_new = await actions.ask_from_button(pressed.services, song, mode, pressed.asker)
    except InsufficientCredits as error:
        return texts.INSUFFICIENT_TOAST.format(price=error.price, balance=error.balance)
    except NoProvider as error:
        return str(error)
    return None if is_new else texts.ALREADY_ASKED.format(number=job.id)


async def _open(pressed: Pressed) -> str | None:
    owner, page = pressed.press.number(0), pressed.press.number(2)
    shown = await compose(pressed.services, _view(pressed))
    await editing.show(pressed.message, shown.text, keyboards.opened_job(shown.keyboard, owner, page))
    return None


async def _show(pressed: Pressed, view: JobView) -> None:
    """The job as it is now, in the message of the pressed button."""
    shown = await compose(pressed.services, view)
    keyboard = keyboards.with_way_back(shown.keyboard, pressed.message.reply_markup)
    await editing.show(pressed.message, shown.text, keyboard)


async def _jobs_page(pressed: Pressed) -> str | None:
    owner, number = pressed.press.number(0), pressed.press.number(1)
    await editing.show(
        pressed.message,
        *await job_pages.page(pressed.services, owner, job_pages.group_of(pressed.message), number),
    )
    return None


async def _credits_page(pressed: Pressed) -> str | None:
    owner, number, services = pressed.press.number(0), pressed.press.number(1), pressed.services
    async with services.database.transaction() as db:
        account = await actions.arrive(db, services, pressed.asker)
    await editing.show(pressed.message, *await credits_pages.page(services, account.id, owner, number))
    return None


def _song_of(view: JobView) -> SongRef:
    return SongRef(view.separation.audio_id, view.separation.task_id)


def _view(pressed: Pressed) -> JobView:
    if pressed.view is None:
        raise BadPress("a button that names no job")
    return pressed.view


ACTIONS: dict[Verb, Callable[[Pressed], Awaitable[str | None]]] = {
    Verb.CANCEL: _cancel,
    Verb.TRY_AGAIN: _try_again,
    Verb.SEND_AGAIN: _send_again,
    Verb.FULL_SET: _full_set,
    Verb.TWO_STEMS: _two_stems,
    Verb.SECOND_SET: _second_set,
    Verb.SILENT_STEMS: _silent_stems,
    Verb.MAKE_FIT: _make_fit,
    Verb.PICK_STEM: _pick_stem,
    Verb.ONE_STEM: _one_stem,
    Verb.FOLD: _fold,
    Verb.TO_PRIVATE: _to_private,
    Verb.JOBS: _jobs_page,
    Verb.OPEN: _open,
    Verb.CREDITS: _credits_page,
    Verb.ASK_BASIC: _ask,
    Verb.ASK_FULL: _ask,
}


def routes() -> list[CallbackQueryHandler[BotContext, None]]:
    return [CallbackQueryHandler(press)]
