"""answerCallbackQuery.

https://core.telegram.org/bots/api#answercallbackquery
"""

from sandbox.telegram.changes import Event
from sandbox.telegram.entities import units
from sandbox.telegram.errors import bad_request
from sandbox.telegram.methods.base import Method
from sandbox.telegram.parameters import Parameters
from sandbox.telegram.world import Answer, World

ANSWER_MAX = 200
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


async def answer_callback_query(world: World, parameters: Parameters) -> bool:
    """The first answer is the one that the person sees."""
    text = parameters.text("text")
    if units(text) > ANSWER_MAX:
        raise bad_request("MESSAGE_TOO_LONG")
    query = world.queries.get(parameters.text("callback_query_id"))
    if query is None or world.clock() > query.expires_at:
        raise bad_request(TOO_OLD)
    answer = Answer(text, parameters.boolean("show_alert"), parameters.text("url"))
    if query.answer is None:
        query.answer = answer
        shown = {"person_id": query.person.user_id, "text": answer.text, "show_alert": answer.show_alert}
        world.changes.announce(Event("answer", query.chat_id, detail=shown))
    return True


METHODS = [Method("answerCallbackQuery", answer_callback_query, free=True)]
