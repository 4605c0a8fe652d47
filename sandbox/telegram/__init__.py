"""A stand-in for Telegram's Bot API server: as strict as the real one, with people who talk to the bot.

telegram = Telegram(token="123456789:...", username="stembot_demo_bot", title="Stembot", files_folder=folder)
ann = telegram.person("Ann")
await ann.say("/start")                       # the bot polls telegram.app over HTTP
await ann.wait_for_text("Hello", within_s=5)
telegram.fail_next("sendAudio", faults.reset_after())
"""

from sandbox.telegram import faults
from sandbox.telegram.calls import Call
from sandbox.telegram.changes import Event, Subscription
from sandbox.telegram.control import control_routes
from sandbox.telegram.faults import Fault
from sandbox.telegram.limits import Limits
from sandbox.telegram.messages import Attachment, Message
from sandbox.telegram.people import Group, Person, Press
from sandbox.telegram.telegram import Telegram
from sandbox.telegram.world import Answer

__all__ = [
    "Answer",
    "Attachment",
    "Call",
    "Event",
    "Fault",
    "Group",
    "Limits",
    "Message",
    "Person",
    "Press",
    "Subscription",
    "Telegram",
    "control_routes",
    "faults",
]
