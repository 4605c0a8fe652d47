"""Every method of the Bot API that the stand-in knows, in one table by lower-case name."""

from sandbox.telegram.methods import (
    albums,
    bot_settings,
    callbacks,
    chat_facts,
    copying,
    editing,
    intake,
    sending,
)
from sandbox.telegram.methods.base import Method

METHODS: dict[str, Method] = {
    method.name.lower(): method
    for module in (intake, sending, albums, editing, copying, callbacks, chat_facts, bot_settings)
    for method in module.METHODS
}
