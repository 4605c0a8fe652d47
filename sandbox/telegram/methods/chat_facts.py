"""getChat, getChatMember(s), leaveChat, getFile.

https://core.telegram.org/bots/api#getchat
"""

from sandbox.telegram.chats import Chat, Kind, Standing, User
from sandbox.telegram.errors import bad_request
from sandbox.telegram.methods.base import Json, Method, chat_of
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.world import ADMIN_RIGHTS, World

FULL_CHAT: Json = {"accent_color_id": 0, "max_reaction_count": 11}
ACCEPTED_GIFTS = (
    "unlimited_gifts",
    "limited_gifts",
    "unique_gifts",
    "premium_subscription",
    "gifts_from_channels",
)


async def get_chat(world: World, parameters: Parameters) -> Json:
    gifts = {"accepted_gift_types": dict.fromkeys(ACCEPTED_GIFTS, False)}
    return chat_of(world, parameters).wire() | FULL_CHAT | gifts


async def get_chat_member(world: World, parameters: Parameters) -> Json:
    chat = chat_of(world, parameters)
    user_id = parameters.integer("user_id")
    if user_id == world.bot.user_id:
        return world.membership(chat.standing)
    if user_id not in world.people:
        raise bad_request("PARTICIPANT_ID_INVALID")
    return member(chat, world.people[user_id])


def member(chat: Chat, person: User) -> Json:
    """ChatMember of a person; in a private chat the person is a member."""
    status = "member" if chat.kind is Kind.PRIVATE else chat.status_of(person)
    rights = ADMIN_RIGHTS if status == "administrator" else {}
    return {"user": person.wire(), "status": status, **rights}


async def get_chat_administrators(world: World, parameters: Parameters) -> list[Json]:
    chat = chat_of(world, parameters)
    if chat.kind is Kind.PRIVATE:
        raise bad_request("there are no administrators in the private chat")
    admins = [member(chat, person) for person in chat.members.values() if person.user_id in chat.admins]
    own = [world.membership(chat.standing)] if chat.standing is Standing.ADMINISTRATOR else []
    return admins + own


async def get_chat_member_count(world: World, parameters: Parameters) -> int:
    chat = chat_of(world, parameters)
    return 2 if chat.kind is Kind.PRIVATE else len(chat.members) + 1


async def leave_chat(world: World, parameters: Parameters) -> bool:
    chat = chat_of(world, parameters)
    if chat.kind is Kind.PRIVATE:
        raise bad_request("chat member status can't be changed in private chats")
    world.set_standing(chat, Standing.LEFT, by=world.bot)
    return True


async def get_file(world: World, parameters: Parameters) -> Json:
    """The path of a file for ``/file/bot<token>/<path>``; up to 20 MB."""
    file_id = parameters.text("file_id")
    if not file_id:
        raise bad_request("file_id not specified")
    path = world.files.wire_path(file_id)
    sent, content = world.files.known(file_id)
    if content.size > world.limits.download_max_bytes:
        raise bad_request("file is too big")
    unique_id = sent.file_unique_id
    return {"file_id": file_id, "file_unique_id": unique_id, "file_size": content.size, "file_path": path}


METHODS = [
    Method("getChat", get_chat),
    Method("getChatMember", get_chat_member),
    Method("getChatAdministrators", get_chat_administrators),
    Method("getChatMemberCount", get_chat_member_count),
    Method("leaveChat", leave_chat),
    Method("getFile", get_file, free=True),
]
