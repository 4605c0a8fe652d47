"""Who asks: the person, chat and message of an update as an ``Asker``.

https://core.telegram.org/bots/api#message: anonymous admins, channels and linked channels all write as
shared pseudo-users, which must never pay for or own anything.
"""

from dataclasses import replace

from telegram import CallbackQuery, Chat, Message, Update, User
from telegram.constants import ChatID

from bot.actions import Asker

CHANNELS = {ChatID.FAKE_CHANNEL, ChatID.SERVICE_CHAT}


def asker(update: Update) -> Asker | None:
    """None where a channel speaks and nobody can be told to have asked."""
    if update.callback_query:
        return _by_press(update.callback_query)
    message, person = update.effective_message, update.effective_user
    if message is None or person is None or person.id in CHANNELS:
        return None
    key = f"message:{message.chat_id}:{message.message_id}"
    return _asker(None if is_anonymous(message) else person, message.chat, message.message_id, message, key)


def is_anonymous(message: Message) -> bool:
    """Whether an admin wrote it in the name of the group."""
    return message.from_user is not None and message.from_user.id == ChatID.ANONYMOUS_ADMIN


def in_the_groups_name(asker: Asker) -> Asker:
    """As if an admin had asked anonymously: the group's account pays."""
    return replace(asker, user_id=None, name="", username=None, language=None)


def _by_press(query: CallbackQuery) -> Asker | None:
    shown = query.message
    if not isinstance(shown, Message):
        return None
    request = shown.reply_to_message or shown
    return _asker(query.from_user, shown.chat, request.message_id, shown, f"press:{query.id}")


def _asker(person: User | None, chat: Chat, message_id: int, message: Message, key: str) -> Asker:
    return Asker(
        user_id=person.id if person else None,
        name=person.full_name if person else "",
        username=person.username if person else None,
        language=person.language_code if person else None,
        chat_id=chat.id,
        chat_kind=chat.type,
        chat_title=chat.title,
        message_id=message_id,
        # Replies in ordinary groups have a thread id, too, and nothing can be sent to that.
        thread_id=message.message_thread_id if message.is_topic_message else None,
        request_key=key,
    )
