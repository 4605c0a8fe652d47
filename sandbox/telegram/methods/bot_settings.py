"""What the bot says about itself: commands by scope and language, descriptions.

https://core.telegram.org/bots/api#setmycommands
"""

import json
import re
from typing import Any

from sandbox.telegram.entities import units
from sandbox.telegram.errors import bad_request
from sandbox.telegram.methods.base import Json, Method, Run, chat_of
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.world import World

COMMANDS_MAX, DESCRIPTION_MAX = 100, 256
COMMAND = re.compile(r"[a-z0-9_]{1,32}\Z")
LANGUAGE = re.compile(r"([a-z]{2})?\Z")
SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}


def scope_in(world: World, parameters: Parameters) -> str:
    """Scope and language as one key; ApiError 400."""
    scope = parameters.json("scope", "Can't parse BotCommandScope JSON object") or {"type": "default"}
    kind = scope.get("type") if isinstance(scope, dict) else None
    if not isinstance(kind, str) or kind not in SCOPES:
        raise bad_request("Can't parse BotCommandScope: Unsupported type specified")
    if "chat_id" in SCOPES[kind]:
        chat_of(world, Parameters(scope))
    return json.dumps([kind, *(scope.get(name) for name in SCOPES[kind]), language_in(parameters)])


def language_in(parameters: Parameters) -> str:
    language = parameters.text("language_code")
    if not LANGUAGE.match(language):
        raise bad_request("invalid language code specified")
    return language


async def set_my_commands(world: World, parameters: Parameters) -> bool:
    commands = parameters.json("commands", "Can't parse commands JSON object") or []
    if not isinstance(commands, list):
        raise bad_request("Expected an Array of BotCommand")
    if len(commands) > COMMANDS_MAX:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    world.settings["commands"][scope_in(world, parameters)] = [command_of(value) for value in commands]
    return True


def command_of(value: Any) -> Json:
    """One BotCommand; ApiError 400."""
    if not isinstance(value, dict):
        raise bad_request("Can't parse BotCommand: expected an Object")
    name, description = str(value.get("command", "")).removeprefix("/"), str(value.get("description", ""))
    if not COMMAND.match(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= units(description) <= DESCRIPTION_MAX:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


async def get_my_commands(world: World, parameters: Parameters) -> list[Json]:
    commands: list[Json] = world.settings["commands"].get(scope_in(world, parameters), [])
    return commands


async def delete_my_commands(world: World, parameters: Parameters) -> bool:
    world.settings["commands"].pop(scope_in(world, parameters), None)
    return True


def sets(name: str, max_units: int) -> Run:
    """The method that sets one text per language."""

    async def set_text(world: World, parameters: Parameters) -> bool:
        text = parameters.text(name)
        if units(text) > max_units:
            raise bad_request(f"{name.upper()}_INVALID")
        world.settings[name][language_in(parameters)] = text
        return True

    return set_text


def gets(name: str) -> Run:
    """The method that tells one text of a language."""

    async def get_text(world: World, parameters: Parameters) -> Json:
        return {name: world.settings[name].get(language_in(parameters), "")}

    return get_text


METHODS = [
    Method("setMyCommands", set_my_commands),
    Method("getMyCommands", get_my_commands),
    Method("deleteMyCommands", delete_my_commands),
    Method("setMyName", sets("name", 64)),
    Method("getMyName", gets("name")),
    Method("setMyDescription", sets("description", 512)),
    Method("getMyDescription", gets("description")),
    Method("setMyShortDescription", sets("short_description", 120)),
    Method("getMyShortDescription", gets("short_description")),
]
