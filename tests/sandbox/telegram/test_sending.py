"""sendMessage and its neighbours: what passes, what is refused and with which words."""

import pytest

from sandbox.telegram import Limits

LONG_DATA = "é" * 33  # 33 characters, 66 bytes
GOOD_BUTTON = {"text": "Cancel", "callback_data": "c:1"}


def keyboard(*buttons):
    return {"inline_keyboard": [list(buttons)]}


async def test_a_message_arrives_as_it_was_sent(telegram, bot, ann):
    sent = await bot.call("sendMessage", chat_id=ann.user_id, text="<b>Hi</b> Ann", parse_mode="HTML")
    assert sent["text"] == "Hi Ann"
    assert sent["entities"] == [{"type": "bold", "offset": 0, "length": 2}]
    assert sent["from"]["is_bot"] is True
    assert sent["chat"] == {"id": ann.user_id, "type": "private", "first_name": "Ann", "username": "ann"}
    shown = telegram.messages(ann)[-1]
    assert (shown.message_id, shown.text, shown.html) == (sent["message_id"], "Hi Ann", "<b>Hi</b> Ann")


@pytest.mark.parametrize("how", ["query", "form", "json"])
async def test_parameters_may_come_in_any_form(bot, ann, how):
    values = {"chat_id": ann.user_id, "text": "hi", "reply_markup": keyboard(GOOD_BUTTON)}
    address = f"/bot{bot.token}/SendMessage"
    if how == "query":
        response = await bot.client.get(address, params={"chat_id": ann.user_id, "text": "hi"})
    elif how == "json":
        response = await bot.client.post(address, json=values)
    else:
        response = await bot.raw("sendMessage", **values)
    assert response.json()["result"]["text"] == "hi"


REFUSED = [
    ({"text": ""}, "message text is empty"),
    ({"text": " \n "}, "text must be non-empty"),
    ({"text": "<b> </b>", "parse_mode": "HTML"}, "text must be non-empty"),
    ({"text": "x" * 4097}, "message is too long"),
    ({"text": "🎵" * 2049}, "message is too long"),
    ({"text": "x", "parse_mode": "BBCode"}, "unsupported parse_mode"),
    (
        {"text": "<b>", "parse_mode": "html"},
        "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
    ),
    ({"text": "x", "chat_id": 42}, "chat not found"),
    ({"text": "x", "chat_id": "@nobody"}, "chat not found"),
    ({"text": "x", "chat_id": ""}, "chat_id is empty"),
    ({"text": "x", "reply_parameters": {"message_id": 999}}, "message to be replied not found"),
    ({"text": "x", "reply_parameters": "{"}, "can't parse reply parameters JSON object"),
    ({"text": "x", "message_thread_id": 5}, "message thread not found"),
    (
        {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 9}]},
        "entity beginning at UTF-16 offset 0 ends after the end of the text",
    ),
    (
        {"text": "x", "entities": [{"type": "huge", "offset": 0, "length": 1}]},
        "can't parse MessageEntity: Unsupported type specified",
    ),
    ({"text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
    ({"text": "x", "reply_markup": "[]"}, "object expected as reply markup"),
    (
        {"text": "x", "reply_markup": {"inline_keyboard": [GOOD_BUTTON]}},
        'field "inline_keyboard" must be an Array of Arrays',
    ),
    (
        {"text": "x", "reply_markup": keyboard({"text": "a"})},
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ),
    (
        {"text": "x", "reply_markup": keyboard({"callback_data": "a"})},
        'can\'t parse inline keyboard button: Field "text" must be of type String and not empty',
    ),
    (
        {"text": "x", "reply_markup": keyboard(GOOD_BUTTON | {"url": "https://a.io"})},
        "can't parse inline keyboard button: exactly one action must be specified, not callback_data, url",
    ),
    (
        {"text": "x", "reply_markup": keyboard({"text": "a", "callback_data": LONG_DATA})},
        "BUTTON_DATA_INVALID",
    ),
    ({"text": "x", "reply_markup": keyboard({"text": "a", "callback_data": ""})}, "BUTTON_DATA_INVALID"),
    (
        {"text": "x", "reply_markup": keyboard({"text": "a", "url": "http://localhost/"})},
        "inline keyboard button URL 'http://localhost/' is invalid: Wrong HTTP URL",
    ),
    (
        {"text": "x", "reply_markup": keyboard({"text": "a", "copy_text": {"text": "y" * 257}})},
        "BUTTON_COPY_TEXT_INVALID",
    ),
]


@pytest.mark.parametrize(("parameters", "words"), REFUSED)
async def test_a_wrong_message_is_refused_and_nothing_appears(telegram, bot, ann, parameters, words):
    before = telegram.messages(ann)
    assert await bot.error("sendMessage", **{"chat_id": ann.user_id} | parameters) == (
        400,
        f"Bad Request: {words}",
    )
    assert telegram.messages(ann) == before


@pytest.mark.parametrize("text", ["x" * 4096, "🎵" * 2048, "<b>" + "x" * 4096 + "</b>"])
async def test_length_is_counted_in_utf16_after_parsing(bot, ann, text):
    await bot.call("sendMessage", chat_id=ann.user_id, text=text, parse_mode="HTML")


async def test_callback_data_is_measured_in_bytes(bot, ann):
    button = {"text": "a", "callback_data": "é" * 32}
    sent = await bot.call("sendMessage", chat_id=ann.user_id, text="x", reply_markup=keyboard(button))
    assert sent["reply_markup"] == keyboard(button)


async def test_a_deleted_request_is_no_obstacle_where_that_is_allowed(bot, ann):
    gone = await ann.say("/stems x")
    ann.delete(gone)
    reply = {"message_id": gone.message_id, "allow_sending_without_reply": True}
    sent = await bot.call("sendMessage", chat_id=ann.user_id, text="x", reply_parameters=reply)
    assert "reply_to_message" not in sent


async def test_a_reply_shows_what_it_answers(bot, ann):
    asked = await ann.say("/stems x")
    sent = await bot.call(
        "sendMessage", chat_id=ann.user_id, text="x", reply_parameters={"message_id": asked.message_id}
    )
    assert sent["reply_to_message"]["text"] == "/stems x"


async def test_whoever_never_wrote_cannot_be_written_to(telegram, bot, ann):
    bob, eve = telegram.person("Bob"), telegram.person("Eve")
    telegram.group("Band", members=[bob])
    not_found = (400, "Bad Request: chat not found")
    assert await bot.error("sendMessage", chat_id=eve.user_id, text="x") == not_found
    stranger = (403, "Forbidden: bot can't initiate conversation with a user")
    assert await bot.error("sendMessage", chat_id=bob.user_id, text="x") == stranger


async def test_a_blocked_bot_is_told_so(telegram, bot, ann):
    await ann.block()
    blocked = (403, "Forbidden: bot was blocked by the user")
    assert await bot.error("sendMessage", chat_id=ann.user_id, text="x") == blocked
    with pytest.raises(ValueError, match="blocked"):
        await ann.say("hello?")
    await ann.unblock()
    await bot.call("sendMessage", chat_id=ann.user_id, text="x")
    statuses = [
        update["my_chat_member"]["new_chat_member"]["status"] for update in await bot.call("getUpdates")
    ]
    assert statuses == ["kicked", "member"]


async def test_a_deleted_account_is_told_so(bot, ann):
    ann.delete_account()
    assert await bot.error("sendMessage", chat_id=ann.user_id, text="x") == (
        403,
        "Forbidden: user is deactivated",
    )


@pytest.mark.parametrize("supergroup", [True, False])
async def test_a_group_that_threw_the_bot_out_says_so(telegram, bot, ann, supergroup):
    group = telegram.group("Band", members=[ann], supergroup=supergroup)
    kind = "supergroup" if supergroup else "group"
    group.kick_bot()
    kicked = (403, f"Forbidden: bot was kicked from the {kind} chat")
    assert await bot.error("sendMessage", chat_id=group.chat_id, text="x") == kicked
    group.add_bot()
    await bot.call("leaveChat", chat_id=group.chat_id)
    left = (403, f"Forbidden: bot is not a member of the {kind} chat")
    assert await bot.error("sendMessage", chat_id=group.chat_id, text="x") == left


async def test_a_migrated_group_names_its_new_id(telegram, bot, ann):
    old = telegram.group("Band", members=[ann], supergroup=False)
    new = old.migrate()
    response = await bot.raw("sendMessage", chat_id=old.chat_id, text="x")
    assert response.json() == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": new.chat_id},
    }
    await bot.call("sendMessage", chat_id=new.chat_id, text="x")
    news = [update["message"] for update in await bot.call("getUpdates")]
    assert [message.get("migrate_to_chat_id") or message.get("migrate_from_chat_id") for message in news] == [
        new.chat_id,
        old.chat_id,
    ]


async def test_topics_are_kept_apart(telegram, bot, ann):
    forum = telegram.group("Band", members=[ann], forum=True)
    ideas = forum.thread("Ideas")
    asked = await ann.say("/stems x", chat=forum, thread=ideas)
    sent = await bot.call("sendMessage", chat_id=forum.chat_id, text="x", message_thread_id=ideas)
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (ideas, True)
    reply = {"message_id": asked.message_id}
    replied = await bot.call("sendMessage", chat_id=forum.chat_id, text="x", reply_parameters=reply)
    assert replied["message_thread_id"] == ideas
    forum.close_thread(ideas)
    closed = (400, "Bad Request: TOPIC_CLOSED")
    assert await bot.error("sendMessage", chat_id=forum.chat_id, text="x", message_thread_id=ideas) == closed
    forum.delete_thread(ideas)
    gone = (400, "Bad Request: message thread not found")
    assert await bot.error("sendMessage", chat_id=forum.chat_id, text="x", message_thread_id=ideas) == gone
    await bot.call("sendMessage", chat_id=forum.chat_id, text="to General")


async def test_a_chat_action_has_a_known_name(telegram, bot, ann):
    with telegram.subscribe() as events:
        assert await bot.call("sendChatAction", chat_id=ann.user_id, action="upload_document")
        event = await events.get()
    assert (event.type, event.chat_id, event.detail) == ("action", ann.user_id, "upload_document")
    wrong = (400, "Bad Request: wrong parameter action in request")
    assert await bot.error("sendChatAction", chat_id=ann.user_id, action="upload_audio") == wrong


@pytest.mark.parametrize(
    ("token", "method", "answer"),
    [
        ("123456789:" + "B" * 35, "getMe", (401, "Unauthorized")),
        ("nonsense", "getMe", (404, "Not Found")),
        (None, "sendRichThing", (404, "Not Found: method not found")),
    ],
)
async def test_wrong_doors_stay_closed(bot, token, method, answer):
    bot.token = token or bot.token
    assert await bot.error(method) == answer


async def test_the_record_of_calls_shows_what_was_asked_and_answered(telegram, bot, ann):
    await bot.call("sendMessage", chat_id=ann.user_id, text="x", reply_markup=keyboard(GOOD_BUTTON))
    await bot.error("sendMessage", chat_id=ann.user_id, text="")
    good, bad = telegram.calls_of("sendMessage")
    assert good.parameters == {
        "chat_id": str(ann.user_id),
        "text": "x",
        "reply_markup": keyboard(GOOD_BUTTON),
    }
    assert (good.status, bad.status, bad.description) == (200, 400, "Bad Request: message text is empty")
    assert [call.method for call in telegram.calls] == ["sendMessage", "sendMessage"]


async def test_private_message_ids_are_one_sequence_and_groups_have_their_own(telegram, bot, ann):
    bob = telegram.person("Bob")
    band = telegram.group("Band", members=[ann])
    ids = [(await person.say("hi")).message_id for person in (ann, bob, ann)]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    assert (await ann.say("hi", chat=band)).message_id == 1


def test_default_limits_are_the_real_ones():
    assert (Limits().overall_per_s, Limits().private_per_s, Limits().group_per_minute) == (30, 1, 20)
