"""Edits, deletions, reactions and answers to pressed buttons."""

import json

import pytest

from sandbox.telegram import Answer
from sandbox.telegram.methods.editing import NOT_MODIFIED

MP3 = ("x.mp3", b"ID3 x", "audio/mpeg")
CANCEL = {"inline_keyboard": [[{"text": "✖ Cancel", "callback_data": "c:1"}]]}
TOO_OLD = (400, "Bad Request: query is too old and response timeout expired or query ID is invalid")


@pytest.fixture
async def status(bot, ann):
    """A status message with a button; what names it in an edit."""
    sent = await bot.call("sendMessage", chat_id=ann.user_id, text="Working", reply_markup=CANCEL)
    return {"chat_id": ann.user_id, "message_id": sent["message_id"]}


async def test_an_edit_changes_the_message_in_place(telegram, bot, ann, status):
    edited = await bot.call("editMessageText", **status, text="<b>Done</b>", parse_mode="HTML")
    assert edited["text"] == "Done"
    assert "reply_markup" not in edited
    shown = telegram.messages(ann)[-1]
    assert (shown.message_id, shown.html, shown.buttons) == (status["message_id"], "<b>Done</b>", [])
    assert shown.edit_date is not None


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("editMessageText", {"text": "Working", "reply_markup": CANCEL}),
        ("editMessageText", {"text": " Working\n", "reply_markup": CANCEL}),
        ("editMessageReplyMarkup", {"reply_markup": CANCEL}),
    ],
)
async def test_an_edit_that_changes_nothing_is_refused(bot, status, method, changes):
    assert await bot.error(method, **status, **changes) == (400, f"Bad Request: {NOT_MODIFIED}")


async def test_only_own_messages_that_are_there_can_be_edited(bot, ann, status):
    said = await ann.say("mine")
    foreign = await bot.error("editMessageText", chat_id=ann.user_id, message_id=said.message_id, text="x")
    assert foreign == (400, "Bad Request: message can't be edited")
    missing = await bot.error("editMessageText", chat_id=ann.user_id, message_id=999, text="x")
    assert missing == (400, "Bad Request: message to edit not found")
    unnamed = await bot.error("editMessageText", chat_id=ann.user_id, text="x")
    assert unnamed == (400, "Bad Request: message identifier is not specified")
    markup = {"keyboard": [["a"]]}
    assert await bot.error("editMessageText", **status, text="x", reply_markup=markup) == (
        400,
        "Bad Request: inline keyboard expected",
    )


async def test_text_and_caption_are_edited_by_their_own_methods(bot, ann, status):
    sent = await bot.call("sendAudio", {"audio": MP3}, chat_id=ann.user_id, caption="a")
    audio = {"chat_id": ann.user_id, "message_id": sent["message_id"]}
    no_text = (400, "Bad Request: there is no text in the message to edit")
    assert await bot.error("editMessageText", **audio, text="b") == no_text
    no_caption = (400, "Bad Request: there is no caption in the message to edit")
    assert await bot.error("editMessageCaption", **status, caption="b") == no_caption
    assert (await bot.call("editMessageCaption", **audio, caption="b"))["caption"] == "b"


async def test_the_buttons_alone_can_go(bot, status):
    assert "reply_markup" not in await bot.call("editMessageReplyMarkup", **status)


async def test_media_of_an_album_keeps_its_kind(bot, ann):
    media = [{"type": "audio", "media": f"attach://{name}"} for name in "ab"]
    files = {"a": MP3, "b": MP3}
    sent = await bot.call("sendMediaGroup", files, chat_id=ann.user_id, media=media)
    first = {"chat_id": ann.user_id, "message_id": sent[0]["message_id"]}
    new = json.dumps({"type": "audio", "media": "attach://n", "title": "New"})
    edited = await bot.call("editMessageMedia", {"n": MP3}, **first, media=new)
    assert (edited["audio"]["title"], edited["media_group_id"]) == ("New", sent[0]["media_group_id"])
    document = json.dumps({"type": "document", "media": "attach://n"})
    refused = await bot.error("editMessageMedia", {"n": MP3}, **first, media=document)
    assert refused == (400, "Bad Request: can't use the media of the specified type in the album")


async def test_deletion_takes_a_message_away_once(telegram, bot, ann, status):
    with telegram.subscribe() as events:
        assert await bot.call("deleteMessage", **status)
        assert (await events.get()).type == "deleted"
    assert await bot.error("deleteMessage", **status) == (400, "Bad Request: message to delete not found")


async def test_a_plain_member_deletes_only_its_own_messages(telegram, bot, ann):
    group = telegram.group("Band", members=[ann])
    said = await ann.say("hi", chat=group)
    place = {"chat_id": group.chat_id, "message_id": said.message_id}
    assert await bot.error("deleteMessage", **place) == (400, "Bad Request: message can't be deleted")
    group.promote_bot()
    assert await bot.call("deleteMessages", chat_id=group.chat_id, message_ids=[said.message_id, 77])
    assert said not in telegram.messages(group)


@pytest.mark.parametrize(
    ("ids", "words"), [([], "are not specified"), (list(range(1, 102)), "Too many"), ("x", "parse")]
)
async def test_message_ids_are_a_list_of_1_to_100(bot, ann, ids, words):
    code, description = await bot.error("deleteMessages", chat_id=ann.user_id, message_ids=ids)
    assert code == 400
    assert words.lower() in description.lower()


async def test_a_reaction_is_one_known_emoji(telegram, bot, ann):
    said = await ann.say("/stems x")
    place = {"chat_id": ann.user_id, "message_id": said.message_id}
    assert await bot.call("setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "👀"}])
    assert telegram.messages(ann)[-1].reactions == ("👀",)
    assert telegram.messages(ann)[-1].edit_date is None
    two = [{"type": "emoji", "emoji": "👀"}, {"type": "emoji", "emoji": "👍"}]
    assert await bot.error("setMessageReaction", **place, reaction=two) == (
        400,
        "Bad Request: REACTIONS_TOO_MANY",
    )
    odd = [{"type": "emoji", "emoji": "🎛"}]
    assert await bot.error("setMessageReaction", **place, reaction=odd) == (
        400,
        "Bad Request: REACTION_INVALID",
    )
    missing = await bot.error("setMessageReaction", chat_id=ann.user_id, message_id=999)
    assert missing == (400, "Bad Request: message to react not found")


async def test_a_press_reaches_the_bot_and_its_answer_the_person(telegram, bot, ann, status):
    press = await ann.press(telegram.messages(ann)[-1], "Cancel")
    (update,) = await bot.call("getUpdates")
    query = update["callback_query"]
    assert (query["data"], query["from"]["id"]) == ("c:1", ann.user_id)
    assert query["message"]["message_id"] == status["message_id"]
    assert press.update_id == update["update_id"]
    await bot.call("answerCallbackQuery", callback_query_id=query["id"], text="Cancelled", show_alert=True)
    assert await press.answer(within_s=1) == Answer("Cancelled", show_alert=True)


async def test_the_first_answer_is_the_one_that_is_seen(bot, telegram, ann, status):
    press = await ann.press(telegram.messages(ann)[-1], "Cancel")
    await bot.call("answerCallbackQuery", callback_query_id=press.query.query_id, text="one")
    await bot.call("answerCallbackQuery", callback_query_id=press.query.query_id, text="two")
    assert (await press.answer()).text == "one"


async def test_a_late_or_unknown_answer_is_refused(telegram, bot, ann, status, clock):
    press = await ann.press(telegram.messages(ann)[-1], "Cancel")
    clock.now += 151
    assert await bot.error("answerCallbackQuery", callback_query_id=press.query.query_id) == TOO_OLD
    assert await bot.error("answerCallbackQuery", callback_query_id="42") == TOO_OLD
    too_long = await bot.error("answerCallbackQuery", callback_query_id="42", text="x" * 201)
    assert too_long == (400, "Bad Request: MESSAGE_TOO_LONG")


async def test_only_a_button_that_is_there_can_be_pressed(telegram, bot, ann, status):
    shown = telegram.messages(ann)[-1]
    with pytest.raises(LookupError, match="Cancel"):
        await ann.press(shown, "Retry")
    await bot.call("editMessageText", **status, text="Done")
    with pytest.raises(LookupError):
        await ann.press(shown, "Cancel")
    forged = await ann.press_data(shown, "c:999")
    assert forged.query.person.user_id == ann.user_id
    ann.delete(shown)
    with pytest.raises(LookupError, match="no longer there"):
        await ann.press(shown, "Cancel")
