"""The real python-telegram-bot over loopback: what it sends is understood, what it gets it can read."""

import io

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAudio,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from sandbox.telegram import faults

TOKEN = "123456789:" + "A" * 35


@pytest.fixture
async def client(address):
    bot = Bot(TOKEN, base_url=f"{address}/bot", base_file_url=f"{address}/file/bot")
    async with bot:
        yield bot


def upload(content, name):
    return InputFile(io.BytesIO(content), filename=name, attach=True, read_file_handle=False)


async def test_a_conversation(telegram, client, ann, song):
    assert client.username == "stembot_demo_bot"
    await ann.say("/stems abc")
    (update,) = await client.get_updates(timeout=0)
    assert update.message.text == "/stems abc"
    assert update.message.parse_entities() == {update.message.entities[0]: "/stems"}
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Cancel", callback_data="c:1")]])
    reply = ReplyParameters(update.message.message_id, allow_sending_without_reply=True)
    status = await client.send_message(
        ann.user_id, "<b>On it</b>", "HTML", reply_markup=keyboard, reply_parameters=reply
    )
    assert status.reply_to_message.message_id == update.message.message_id
    press = await ann.press(await ann.wait_for_text("On it"), "Cancel")
    (pressed,) = await client.get_updates(offset=update.update_id + 1, timeout=0)
    await client.answer_callback_query(pressed.callback_query.id, "No", show_alert=True)
    assert (await press.answer()).show_alert
    media = [
        InputMediaAudio(upload(song, f"{name}.mp3"), title=name, performer="Stembot", duration=3)
        for name in ("Vocals", "Instrumental")
    ]
    album = await client.send_media_group(ann.user_id, media, caption="Here")
    assert [message.audio.file_name for message in album] == ["Vocals.mp3", "Instrumental.mp3"]
    assert album[0].caption == "Here"
    edited = await client.edit_message_text("Done", ann.user_id, status.message_id)
    assert edited.text == "Done"
    again = await client.send_audio(ann.user_id, album[0].audio.file_id)
    assert again.audio.file_unique_id == album[0].audio.file_unique_id
    file = await client.get_file(again.audio.file_id)
    assert bytes(await file.download_as_bytearray()) == song
    chat = await client.get_chat(ann.user_id)
    assert chat.first_name == "Ann"


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")  # the type of retry_after
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.retry_after(7), RetryAfter),
        (faults.error(400, "Bad Request: chat not found"), BadRequest),
        (faults.error(403, "Forbidden: bot was blocked by the user"), Forbidden),
        (faults.error(400, "Bad Request: x", {"migrate_to_chat_id": -5}), ChatMigrated),
        (faults.error(401, "Unauthorized"), InvalidToken),
        (faults.error(409, "Conflict: x"), Conflict),
        (faults.too_large(), NetworkError),
        (faults.html(502), NetworkError),
        (faults.reset_before(), NetworkError),
        (faults.reset_after(), NetworkError),
        (faults.garbled(), TelegramError),
    ],
)
async def test_faults_become_the_librarys_errors(telegram, client, ann, fault, error):
    telegram.fail_next("sendMessage", fault)
    with pytest.raises(error):
        await client.send_message(ann.user_id, "x")


async def test_group_facts_are_readable(telegram, client, ann):
    group = telegram.group("Band", members=[ann], forum=True)
    group.make_admin(ann)
    group.promote_bot()
    thread = group.thread("Ideas")
    await group.say_as_anonymous_admin("/stems x", thread=thread)
    updates = await client.get_updates(timeout=0)
    assert [update.my_chat_member is not None for update in updates] == [True, False, False]
    assert updates[0].my_chat_member.new_chat_member.status == "administrator"
    assert updates[1].message.forum_topic_created.name == "Ideas"
    assert updates[2].message.sender_chat.id == group.chat_id
    assert len(await client.get_chat_administrators(group.chat_id)) == 2
    assert (await client.get_chat(group.chat_id)).is_forum
    old = telegram.group("Small", members=[ann], supergroup=False)
    new = old.migrate()
    with pytest.raises(ChatMigrated) as migrated:
        await client.send_message(old.chat_id, "x")
    assert migrated.value.new_chat_id == new.chat_id


async def test_settings_and_small_calls_are_understood(telegram, client, ann):
    assert await client.set_my_commands([("stems", "Split a song")])
    assert [command.command for command in await client.get_my_commands()] == ["stems"]
    assert await client.set_my_description("Splits")
    assert await client.send_chat_action(ann.user_id, "upload_document")
    said = await ann.say("/stems")
    assert await client.set_message_reaction(ann.user_id, said.message_id, "👀")
    assert (await client.get_webhook_info()).pending_update_count == 1
    copies = await client.copy_messages(ann.user_id, ann.user_id, [said.message_id])
    assert await client.delete_messages(ann.user_id, [copies[0].message_id])
