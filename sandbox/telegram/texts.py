"""Texts, captions and keyboards as the bot sends them, checked as Telegram checks them.

https://core.telegram.org/bots/api#formatting-options https://core.telegram.org/bots/api#inlinekeyboardmarkup
"""

from typing import Any

from sandbox.telegram.entities import (
    TYPES,
    Entity,
    Formatted,
    checked_url,
    ordered,
    trimmed,
    units,
    with_found,
)
from sandbox.telegram.errors import ApiError, bad_request
from sandbox.telegram.html import parse_html
from sandbox.telegram.parameters import Parameters

Json = dict[str, Any]
TEXT_MAX, CAPTION_MAX, CALLBACK_DATA_MAX_BYTES, COPY_TEXT_MAX = 4096, 1024, 64, 256
BAD_BUTTON = "Can't parse inline keyboard button: "
ACTIONS = {
    "callback_data",
    "url",
    "copy_text",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "web_app",
    "login_url",
    "callback_game",
    "pay",
}
OTHER_MARKUPS = ("keyboard", "remove_keyboard", "force_reply")
BUTTON_STYLES = (None, "danger", "success", "primary")


def text_in(parameters: Parameters) -> Formatted:
    """``text``: 1-4096 units after parsing."""
    text = parameters.text("text")
    if not text:
        raise bad_request("Message text is empty")
    entities = parameters.json("entities", "Can't parse entities JSON object")
    formatted = formatted_text(text, parameters.text("parse_mode"), entities)
    if not formatted.text:
        raise bad_request("text must be non-empty")
    if units(formatted.text) > TEXT_MAX:
        raise bad_request("message is too long")
    return formatted


def caption_in(parameters: Parameters) -> Formatted:
    """``caption``: up to 1024 units after parsing."""
    entities = parameters.json("caption_entities", "Can't parse caption entities JSON object")
    return caption(parameters.text("caption"), parameters.text("parse_mode"), entities)


def caption(text: str, parse_mode: str, entities: Any) -> Formatted:
    formatted = formatted_text(text, parse_mode, entities)
    if units(formatted.text) > CAPTION_MAX:
        raise bad_request("message caption is too long")
    return formatted


def formatted_text(text: str, parse_mode: str, entities: Any) -> Formatted:
    """Markup or a list of entities to what the message will show."""
    match parse_mode.lower():
        case "html":
            formatted = parse_html(text)
        case "" | "none":
            given = entities if isinstance(entities, list) else []
            formatted = Formatted(text, ordered([_entity(value, units(text)) for value in given]))
        case "markdown" | "markdownv2":
            raise bad_request("Unsupported parse_mode: this stand-in knows only HTML")
        case _:
            raise bad_request("Unsupported parse_mode")
    return with_found(trimmed(formatted))


def _entity(value: Any, length: int) -> Entity:
    if not isinstance(value, dict):
        raise bad_request("Can't parse MessageEntity: expected an Object")
    kind, offset, span = value.get("type"), value.get("offset"), value.get("length")
    if kind not in TYPES:
        raise bad_request("Can't parse MessageEntity: Unsupported type specified")
    if not isinstance(offset, int) or not isinstance(span, int):
        raise bad_request('Can\'t parse MessageEntity: Field "offset" must be of type Number')
    if offset < 0 or span <= 0 or offset + span > length:
        raise bad_request(f"entity beginning at UTF-16 offset {offset} ends after the end of the text")
    names = ("url", "language", "custom_emoji_id")
    return Entity(kind, offset, span, **{name: str(value.get(name, "")) for name in names})


def markup_in(parameters: Parameters, *, inline_only: bool = False) -> Json | None:
    """``reply_markup``, checked; None where it is missing."""
    markup = parameters.json("reply_markup", "Can't parse reply keyboard markup JSON object")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("Object expected as reply markup")
    if "inline_keyboard" in markup:
        return checked_inline_keyboard(markup["inline_keyboard"])
    if inline_only:
        raise bad_request("inline keyboard expected")
    if not any(name in markup for name in OTHER_MARKUPS):
        raise bad_request("Can't parse reply keyboard markup: unknown kind of markup")
    return markup


def checked_inline_keyboard(rows: Any) -> Json | None:
    """The keyboard, or None where it has no buttons."""
    if not isinstance(rows, list):
        raise bad_request('Field "inline_keyboard" must be of type Array')
    if not all(isinstance(row, list) for row in rows):
        raise bad_request('Field "inline_keyboard" must be an Array of Arrays')
    if sum(len(row) for row in rows) > 100:
        raise bad_request("reply markup is too long")
    kept = [[_button(button) for button in row] for row in rows if row]
    return {"inline_keyboard": kept} if kept else None


def _button(button: Any) -> Json:
    if not isinstance(button, dict):
        raise bad_request(f"{BAD_BUTTON}InlineKeyboardButton must be an Object")
    if not isinstance(button.get("text"), str) or not button["text"].strip():
        raise bad_request(f'{BAD_BUTTON}Field "text" must be of type String and not empty')
    if button.get("style") not in BUTTON_STYLES:
        raise bad_request(f"{BAD_BUTTON}invalid button style specified")
    actions = [name for name in ACTIONS if button.get(name) is not None]
    if not actions:
        raise bad_request(f"{BAD_BUTTON}Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        # The real server takes the first it knows; the documentation demands exactly one.
        raise bad_request(
            f"{BAD_BUTTON}exactly one action must be specified, not {', '.join(sorted(actions))}"
        )
    if complaint := _complaint(actions[0], button[actions[0]]):
        raise complaint
    return button


def _complaint(action: str, value: Any) -> ApiError | None:
    match action:
        case "callback_data" if not isinstance(value, str):
            return bad_request(f'{BAD_BUTTON}Field "callback_data" must be of type String')
        case "callback_data" if not 1 <= len(value.encode()) <= CALLBACK_DATA_MAX_BYTES:
            return bad_request("BUTTON_DATA_INVALID")
        case "url" if not isinstance(value, str) or checked_url(value) is None:
            return bad_request(f"inline keyboard button URL '{value}' is invalid: Wrong HTTP URL")
        case "copy_text" if not (
            isinstance(value, dict) and 1 <= units(str(value.get("text", ""))) <= COPY_TEXT_MAX
        ):
            return bad_request("BUTTON_COPY_TEXT_INVALID")
        case _:
            return None
