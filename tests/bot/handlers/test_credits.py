from providers.base import Failed, Mode
from storage import ledger
from tests.bot.upstream_stand_in import FakeProvider
from tests.bot.world import ANN, BAND, BOB, OTHER_SONG, SONG


async def test_it_shows_the_balance_what_is_set_aside_and_what_things_cost(world):
    await world.say(f"/stems {SONG}")
    (said,) = await world.say("/credits")
    assert "90 credits" in said
    assert "10 credits set aside" in said
    assert "10 · " in said
    assert "50 · " in said
    assert "10 credits set aside for job 1." in said
    assert "-10 set aside for job 1" in said
    assert "+100 welcome credits" in said


async def test_each_entry_tells_what_it_was_for(world):
    await world.say(f"/stems {SONG}")
    await world.run_until_idle()
    world.provider.to_look.append(Failed("no luck"))
    await world.say(f"/stems {OTHER_SONG} full")
    await world.run_until_idle()
    (said,) = await world.say("/credits")
    entries = said.splitlines()[-4:]
    assert entries == [
        "+50 back from job 2",
        "-50 set aside for job 2",
        "-10 paid for job 1 · Paper Boats",
        "+100 welcome credits",
    ]


async def test_what_is_set_aside_for_several_jobs_names_them(world):
    for song in (SONG, OTHER_SONG):
        await world.say(f"/stems {song}")
    (said,) = await world.say("/credits")
    assert "20 credits set aside for jobs 1 and 2." in said
    await world.grant(1000, ANN)
    for number in range(10, 14):
        await world.say(f"/stems {SONG[:-2]}{number}")
    (said,) = await world.say("/credits")
    assert "60 credits set aside for 6 jobs." in said


async def test_a_new_person_is_welcomed_once(world):
    await world.say("/credits")
    (said,) = await world.say("/credits")
    assert said.count("welcome") == 1


async def test_many_entries_are_pages(world):
    await world.grant(1000, ANN)
    for number in range(10, 22):
        await world.say(f"/stems {SONG[:-2]}{number}")
    await world.say("/credits")
    await world.press("Older")
    assert "for job 1\n" in world.status_text()
    await world.press("Newer")
    assert "for job 12\n" in world.status_text()


async def test_nobody_turns_the_pages_of_another(world):
    await world.grant(1000, ANN)
    for number in range(10, 22):
        await world.say(f"/stems {SONG[:-2]}{number}", chat_id=BAND)
    await world.say("/credits", chat_id=BAND)
    assert (await world.press("Older", by=BOB, chat_id=BAND)).startswith("ALERT")


async def test_an_anonymous_admin_sees_the_groups_credits(world):
    await world.grant(40, BAND, "group")
    (said,) = await world.say_anonymously("/credits")
    assert "40 credits" in said


async def test_a_gifts_note_is_only_text(world):
    async with world.database.transaction() as db:
        account = await ledger.account_of(db, "user", ANN)
        await ledger.grant(db, account, 5, operation="x", note="<b>{job}", now=0.0)
    (said,) = await world.say("/credits")
    assert "&lt;b&gt;{job}" in said


async def test_with_an_upstream_that_only_knows_two_stems_everything_is_still_explained(worlds):
    provider = FakeProvider(name="suno_api", modes=frozenset({Mode.BASIC}))
    async with worlds(provider=provider, suno_api_url="http://127.0.0.1:3000") as world:
        for text in ("/credits", "/start", "/help", f"https://suno.com/song/{SONG}"):
            (said,) = await world.say(text)
            assert "10" in said
