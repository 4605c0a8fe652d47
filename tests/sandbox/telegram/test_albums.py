"""Albums, all or nothing; copies and forwards, which keep them together."""

import json

import pytest


def audio(media, **about):
    return {"type": "audio", "media": media, **about}


def attached(*names):
    return json.dumps([audio(f"attach://{name}", title=name) for name in names])


def parts(*names):
    return {name: (f"{name}.mp3", f"ID3 {name}".encode(), "audio/mpeg") for name in names}


async def test_an_album_shares_a_group_and_its_ids_follow_each_other(telegram, bot, ann):
    names = ["vocals", "bass", "drums"]
    asked = await ann.say("/stems")
    reply = {"message_id": asked.message_id}
    sent = await bot.call(
        "sendMediaGroup", parts(*names), chat_id=ann.user_id, media=attached(*names), reply_parameters=reply
    )
    first = sent[0]["message_id"]
    assert [message["message_id"] for message in sent] == [first, first + 1, first + 2]
    assert len({message["media_group_id"] for message in sent}) == 1
    assert [message["audio"]["title"] for message in sent] == names
    assert {message["reply_to_message"]["message_id"] for message in sent} == {asked.message_id}
    assert [shown.audio.title for shown in telegram.messages(ann)[-3:]] == names


ALBUMS = [
    ([audio("attach://a")], "there are not enough messages to send as an album"),
    ([audio("attach://a")] * 11, "too many messages to send as an album"),
    ([audio("attach://a"), audio("attach://missing")], "media not found"),
    (
        [audio("attach://a"), {"type": "document", "media": "attach://b"}],
        "can't use the media of the specified type in the album",
    ),
    ([audio("attach://a"), {"type": "voice", "media": "attach://b"}], 'type "voice" is unsupported'),
    ([audio("attach://a"), audio("nonsense")], "wrong file identifier/HTTP URL specified"),
    ([audio("attach://a"), audio("attach://b", caption="x" * 1025)], "message caption is too long"),
    ([audio("attach://a"), audio("attach://b", duration="3")], 'field "duration" must be of type Number'),
    ([audio("attach://a"), "b"], "can't parse InputMedia: expected an Object"),
    ({}, "expected an Array of InputMedia"),
]


@pytest.mark.parametrize(("media", "words"), ALBUMS)
async def test_a_wrong_album_is_refused_whole(telegram, bot, ann, media, words):
    before = telegram.messages(ann)
    refused = await bot.error("sendMediaGroup", parts("a", "b"), chat_id=ann.user_id, media=json.dumps(media))
    assert refused == (400, f"Bad Request: {words}")
    assert telegram.messages(ann) == before


async def test_an_album_with_a_wav_in_it_is_refused(bot, ann):
    files = parts("a") | {"b": ("b.wav", b"RIFF")}
    refused = await bot.error("sendMediaGroup", files, chat_id=ann.user_id, media=attached("a", "b"))
    assert refused == (400, "Bad Request: can't use the media of the specified type in the album")


async def test_an_album_without_media_is_refused(bot, ann):
    refused = await bot.error("sendMediaGroup", chat_id=ann.user_id)
    assert refused == (400, 'Bad Request: parameter "media" is required')


async def test_an_album_has_no_buttons(bot, ann):
    buttons = {"inline_keyboard": [[{"text": "x", "callback_data": "x"}]]}
    sent = await bot.call(
        "sendMediaGroup", parts("a", "b"), chat_id=ann.user_id, media=attached("a", "b"), reply_markup=buttons
    )
    assert all("reply_markup" not in message for message in sent)


async def test_one_bad_url_fails_the_album(telegram, bot, ann, host):
    url, _ = host
    before = telegram.messages(ann)
    media = json.dumps([audio(f"{url}/song.mp3"), audio(f"{url}/page.mp3")])
    refused = await bot.error("sendMediaGroup", chat_id=ann.user_id, media=media)
    assert refused == (
        400,
        'Bad Request: failed to send message #2 with the error message "WEBPAGE_MEDIA_EMPTY"',
    )
    assert telegram.messages(ann) == before


async def test_copies_keep_the_album_together(telegram, bot, ann):
    bob = telegram.person("Bob")
    await bob.say("/start")
    names = ["a", "b"]
    sent = await bot.call("sendMediaGroup", parts(*names), chat_id=ann.user_id, media=attached(*names))
    ids = [message["message_id"] for message in sent]
    copied = await bot.call(
        "copyMessages", chat_id=bob.user_id, from_chat_id=ann.user_id, message_ids=[*ids, 999]
    )
    shown = telegram.messages(bob)[-2:]
    assert [message.message_id for message in shown] == [copy["message_id"] for copy in copied]
    assert len({message.media_group_id for message in shown} | {sent[0]["media_group_id"]}) == 2
    assert [message.audio.title for message in shown] == names
    backwards = await bot.error(
        "copyMessages", chat_id=bob.user_id, from_chat_id=ann.user_id, message_ids=ids[::-1]
    )
    assert backwards == (400, "Bad Request: message identifiers must be in a strictly increasing order")
    nothing = await bot.error(
        "copyMessages", chat_id=bob.user_id, from_chat_id=ann.user_id, message_ids=[999]
    )
    assert nothing == (400, "Bad Request: there are no messages to forward")


async def test_a_forward_names_its_origin(telegram, bot, ann):
    said = await ann.say("listen")
    sent = await bot.call(
        "forwardMessage", chat_id=ann.user_id, from_chat_id=ann.user_id, message_id=said.message_id
    )
    assert sent["forward_origin"]["sender_user"]["id"] == ann.user_id
    assert (
        len(
            await bot.call(
                "forwardMessages",
                chat_id=ann.user_id,
                from_chat_id=ann.user_id,
                message_ids=[said.message_id],
            )
        )
        == 1
    )
    copy = await bot.call(
        "copyMessage", chat_id=ann.user_id, from_chat_id=ann.user_id, message_id=said.message_id
    )
    assert telegram.messages(ann)[-1].message_id == copy["message_id"]
