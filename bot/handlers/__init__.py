"""What happens on an update: one ordered list of routes, first match wins within a group."""

from typing import Any

from telegram.ext import Application, BaseHandler

from bot.handlers import access, admin, buttons, chat_changes, credits, errors, jobs, links, start, stems

Route = BaseHandler[Any, Any, Any]

# Before everything else: who is served at all.
FIRST = -1


def register(application: Application[Any, Any, Any, Any, Any, Any]) -> None:
    application.add_handlers({FIRST: access.routes(), 0: routes()})
    application.add_error_handler(errors.on_error)


def routes() -> list[Route]:
    return [
        *stems.routes(),
        *jobs.routes(),
        *credits.routes(),
        *start.routes(),
        *admin.routes(),
        *buttons.routes(),
        *chat_changes.routes(),
        # Last: it takes whatever else is said in a private chat.
        *links.routes(),
    ]
