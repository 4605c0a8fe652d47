"""Which messages of a chat a bot gets to see.

https://core.telegram.org/bots/features#privacy-mode
"""

from sandbox.telegram.chats import Chat, Kind, Standing, User
from sandbox.telegram.messages import Message


def bot_sees(chat: Chat, message: Message, bot: User, *, privacy: bool) -> bool:
    """Everything in private and as an admin; with privacy on only what is meant for the bot."""
    if chat.standing not in (Standing.MEMBER, Standing.ADMINISTRATOR):
        return False
    if chat.kind is Kind.PRIVATE or chat.standing is Standing.ADMINISTRATOR or not privacy:
        return True
    replied = message.reply_to is not None and message.reply_to.sender_id == bot.user_id
    return bool(message.service) or replied or _is_command_for(chat, message, bot)


def _is_command_for(chat: Chat, message: Message, bot: User) -> bool:
    """A bare command is for everybody; it reaches the bot here unless other bots are around."""
    text = message.formatted.text.encode("utf-16-le")
    for entity in message.formatted.entities:
        if entity.type == "bot_command":
            command = text[entity.offset * 2 : entity.end * 2].decode("utf-16-le")
            _, at, addressee = command.partition("@")
            if addressee.lower() == bot.username.lower() if at else not chat.other_bots:
                return True
    return False
