"""sendMessage, sendAudio, sendDocument, sendPhoto, sendChatAction.

https://core.telegram.org/bots/api#sendmessage
"""

from typing import Any

from sandbox.telegram.changes import Event
from sandbox.telegram.errors import bad_request
from sandbox.telegram.fetch import FetchFailed
from sandbox.telegram.media import Given, attachment
from sandbox.telegram.methods.base import Json, Method, Run, chat_of, check_topic, one, target_of
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.texts import caption_in, markup_in, text_in
from sandbox.telegram.world import World

ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}


async def send_message(world: World, parameters: Parameters) -> Json:
    formatted, markup = text_in(parameters), markup_in(parameters)
    target = target_of(world, parameters)
    draft = target.draft(
        world, formatted=formatted, reply_markup=markup, shows_preview=shows_preview(parameters)
    )
    return world.post(target.chat, draft).wire()


def shows_preview(parameters: Parameters) -> bool:
    """Whether links may be fetched for a preview."""
    options = parameters.json("link_preview_options", "Can't parse link preview options JSON object") or {}
    if not isinstance(options, dict):
        raise bad_request("Object expected as link preview options")
    return not (options.get("is_disabled") or parameters.boolean("disable_web_page_preview"))


def sends(kind: str) -> Run:
    """The method that sends one file of a kind."""

    async def send_file(world: World, parameters: Parameters) -> Json:
        formatted, markup = caption_in(parameters), markup_in(parameters)
        target = target_of(world, parameters)
        try:
            sent = await attachment(
                world, parameters, kind, parameters.text(kind), given_in(parameters), part=kind
            )
        except FetchFailed as failure:
            raise failure.error() from failure
        draft = target.draft(world, formatted=formatted, reply_markup=markup, attachment=sent)
        return world.post(target.chat, draft).wire()

    return send_file


def given_in(parameters: Parameters) -> Given:
    return Given(
        title=parameters.text("title"),
        performer=parameters.text("performer"),
        duration=parameters.integer("duration"),
        thumbnail=parameters.text("thumbnail"),
    )


async def send_chat_action(world: World, parameters: Parameters) -> Any:
    action = parameters.text("action").lower()
    if action not in ACTIONS:
        raise bad_request("Wrong parameter action in request")
    chat = chat_of(world, parameters)
    if thread_id := parameters.integer("message_thread_id"):
        check_topic(chat, thread_id)
    world.changes.announce(Event("action", chat.chat_id, detail=action))
    return True


METHODS = [
    Method("sendMessage", send_message, one),
    Method("sendAudio", sends("audio"), one),
    Method("sendDocument", sends("document"), one),
    Method("sendPhoto", sends("photo"), one),
    Method("sendChatAction", send_chat_action),
]
