"""Groups: what the bot hears with privacy on, pseudo-users, members and admins."""

import pytest


async def heard(bot):
    updates = await bot.call("getUpdates")
    if updates:
        await bot.call("getUpdates", offset=updates[-1]["update_id"] + 1)
    return [update["message"].get("text") for update in updates if "message" in update]


@pytest.mark.parametrize(
    ("text", "alone", "among_bots"),
    [
        ("just talk", False, False),
        ("/stems x", True, False),
        ("/stems@stembot_demo_bot x", True, True),
        ("/stems@StemBot_Demo_Bot x", True, True),
        ("/stems@other_bot x", False, False),
        ("@stembot_demo_bot hi", False, False),
    ],
)
async def test_privacy_lets_through_what_is_meant_for_the_bot(telegram, bot, ann, text, alone, among_bots):
    quiet = telegram.group("Band", members=[ann])
    crowded = telegram.group("Bots", members=[ann], other_bots=True)
    for group, expected in ((quiet, alone), (crowded, among_bots)):
        await ann.say(text, chat=group)
        assert bool(await heard(bot)) is expected


async def test_without_privacy_or_as_an_admin_the_bot_hears_everything(
    make_telegram, bot_for, telegram, bot, ann
):
    group = telegram.group("Band", members=[ann])
    group.promote_bot()
    await ann.say("just talk", chat=group)
    assert await heard(bot) == ["just talk"]
    open_telegram = make_telegram(privacy=False)
    bob = open_telegram.person("Bob")
    band = open_telegram.group("Band", members=[bob])
    async with bot_for(open_telegram) as open_bot:
        await bob.say("/stems@other_bot", chat=band)
        assert await heard(open_bot) == ["/stems@other_bot"]


async def test_in_private_everything_reaches_the_bot(bot, ann):
    await ann.say("/stems@other_bot x")
    assert await heard(bot) == ["/stems@other_bot x"]


async def test_replies_to_the_bot_are_heard(telegram, bot, ann):
    group = telegram.group("Band", members=[ann])
    sent = await bot.call("sendMessage", chat_id=group.chat_id, text="hi")
    own = telegram.messages(group)[-1]
    assert own.message_id == sent["message_id"]
    talk = await ann.say("not for you", chat=group)
    await ann.say("for you", chat=group, reply_to=own)
    await ann.say("neither", chat=group, reply_to=talk)
    assert await heard(bot) == ["for you"]


async def test_after_a_kick_nothing_is_heard(telegram, bot, ann):
    group = telegram.group("Band", members=[ann])
    group.kick_bot()
    await ann.say("/stems@stembot_demo_bot", chat=group)
    assert await heard(bot) == []


async def test_an_anonymous_admin_is_a_pseudo_user(telegram, bot, ann):
    group = telegram.group("Band", members=[ann])
    await group.say_as_anonymous_admin("/stems x")
    (update,) = await bot.call("getUpdates")
    message = update["message"]
    assert (message["from"]["id"], message["from"]["username"]) == (1087968824, "GroupAnonymousBot")
    assert message["sender_chat"]["id"] == group.chat_id == message["chat"]["id"]


async def test_whoever_is_not_in_a_group_cannot_write_there(telegram, ann):
    group = telegram.group("Band")
    with pytest.raises(ValueError, match="is not in Band"):
        await ann.say("hi", chat=group)
    group.add(ann)
    await ann.say("hi", chat=group)


async def test_only_forums_have_topics(telegram, ann):
    with pytest.raises(ValueError, match="not a forum"):
        telegram.group("Band", members=[ann]).thread("Ideas")


async def test_only_the_author_edits(telegram, ann):
    bob = telegram.person("Bob")
    group = telegram.group("Band", members=[ann, bob])
    said = await ann.say("hi", chat=group)
    with pytest.raises(ValueError, match="did not write"):
        await bob.edit(said, "ho")


async def test_members_and_admins_are_told_apart(telegram, bot, ann):
    bob, eve = telegram.person("Bob"), telegram.person("Eve")
    group = telegram.group("Band", members=[ann, bob])
    group.make_admin(bob)
    place = {"chat_id": group.chat_id}
    statuses = [
        (await bot.call("getChatMember", **place, user_id=user_id))["status"]
        for user_id in (ann.user_id, bob.user_id, eve.user_id, 123456789)
    ]
    assert statuses == ["member", "administrator", "left", "member"]
    admins = await bot.call("getChatAdministrators", **place)
    assert [admin["user"]["id"] for admin in admins] == [bob.user_id]
    group.promote_bot()
    assert len(await bot.call("getChatAdministrators", **place)) == 2
    assert await bot.call("getChatMemberCount", **place) == 3
    unknown = await bot.error("getChatMember", **place, user_id=5)
    assert unknown == (400, "Bad Request: PARTICIPANT_ID_INVALID")


async def test_chats_describe_themselves(telegram, bot, ann):
    forum = telegram.group("Band", members=[ann], forum=True)
    chat = await bot.call("getChat", chat_id=forum.chat_id)
    assert (chat["type"], chat["title"], chat["is_forum"]) == ("supergroup", "Band", True)
    assert (await bot.call("getChat", chat_id=ann.user_id))["first_name"] == "Ann"
    no_admins = await bot.error("getChatAdministrators", chat_id=ann.user_id)
    assert no_admins == (400, "Bad Request: there are no administrators in the private chat")
    stuck = await bot.error("leaveChat", chat_id=ann.user_id)
    assert stuck == (400, "Bad Request: chat member status can't be changed in private chats")


async def test_commands_are_kept_per_scope_and_language(bot, ann):
    commands = [{"command": "stems", "description": "Split a song"}]
    groups = {"scope": {"type": "all_group_chats"}, "language_code": "ru"}
    await bot.call("setMyCommands", commands=commands)
    assert await bot.call("getMyCommands") == commands
    assert await bot.call("getMyCommands", **groups) == []
    await bot.call("setMyCommands", commands=commands, **groups)
    await bot.call("deleteMyCommands")
    assert await bot.call("getMyCommands", **groups) == commands
    assert await bot.call("getMyCommands") == []


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"commands": [{"command": "Stems", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "stems", "description": ""}]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ({"commands": [{"command": "a", "description": "b"}] * 101}, "BOT_COMMANDS_TOO_MUCH"),
        ({"commands": "[", "scope": ""}, "can't parse commands JSON object"),
        (
            {"commands": [], "scope": {"type": "moon"}},
            "can't parse BotCommandScope: Unsupported type specified",
        ),
        ({"commands": [], "scope": {"type": "chat", "chat_id": 5}}, "chat not found"),
        ({"commands": [], "language_code": "eng"}, "invalid language code specified"),
    ],
)
async def test_bad_commands_are_refused(bot, parameters, words):
    assert await bot.error("setMyCommands", **parameters) == (400, f"Bad Request: {words}")


async def test_descriptions_are_kept_per_language(bot):
    await bot.call("setMyDescription", description="Splits songs")
    await bot.call("setMyShortDescription", short_description="Stems", language_code="de")
    assert await bot.call("getMyDescription") == {"description": "Splits songs"}
    assert await bot.call("getMyShortDescription", language_code="de") == {"short_description": "Stems"}
    too_long = await bot.error("setMyShortDescription", short_description="x" * 121)
    assert too_long == (400, "Bad Request: SHORT_DESCRIPTION_INVALID")
