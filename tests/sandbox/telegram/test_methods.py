"""Every method, whatever it is sent: an answer in the Bot API's form, never a crash."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.telegram.methods import METHODS

NEEDED = """
    getMe getUpdates setWebhook deleteWebhook getWebhookInfo logOut close sendMessage sendAudio
    sendDocument sendMediaGroup sendPhoto editMessageText editMessageReplyMarkup editMessageMedia
    editMessageCaption deleteMessage deleteMessages answerCallbackQuery sendChatAction setMyCommands
    getMyCommands deleteMyCommands setMyDescription setMyShortDescription setMessageReaction getFile
    getChat getChatMember getChatAdministrators copyMessage copyMessages forwardMessage forwardMessages
    leaveChat
"""
NAMES = [
    "allowed_updates",
    "audio",
    "callback_query_id",
    "caption",
    "chat_id",
    "commands",
    "document",
    "duration",
    "entities",
    "file_id",
    "from_chat_id",
    "language_code",
    "limit",
    "link_preview_options",
    "media",
    "message_id",
    "message_ids",
    "message_thread_id",
    "offset",
    "parse_mode",
    "photo",
    "reaction",
    "reply_markup",
    "reply_parameters",
    "scope",
    "text",
    "title",
    "user_id",
]
WORDS = st.sampled_from(
    [
        "inline_keyboard",
        "message_id",
        "type",
        "media",
        "text",
        "callback_data",
        "audio",
        "HTML",
        "<b>",
        "1",
        "url",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES | VALUES.map(json.dumps), max_size=6)


def test_all_that_is_needed_is_there():
    assert {name.lower() for name in NEEDED.split()} <= set(METHODS)


@pytest.mark.parametrize("method", sorted(METHODS))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
async def test_any_parameters_get_an_answer(bot, ann, method, body):
    parameters = {"chat_id": ann.user_id, "message_id": 1} | body
    response = await bot.client.post(f"/bot{bot.token}/{method}", json=parameters)
    answer = response.json()
    assert answer["ok"] is (response.status_code == 200)
    assert answer["ok"] or answer["description"]
