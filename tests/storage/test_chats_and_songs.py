"""What is noted of people, chats and songs."""

import pytest
from sqlalchemy import select

from storage import audit, chats, jobs, ledger, lookups, moves, songs
from storage.rows import Song
from storage.states import JobState
from storage.tables import chats as chats_table
from storage.tables import users as users_table

ANN, GROUP, SUPERGROUP = 11, -100, -1000
TOLD = {
    "task_id": "task",
    "title": "Paper Boats",
    "artist": "Ann",
    "cover_url": "https://files.example/boats.jpeg",
    "duration_s": 61.5,
}


@pytest.fixture
def chat(database):
    async def read(chat_id):
        async with database.reading() as db:
            return (await db.execute(select(chats_table).where(chats_table.c.id == chat_id))).one()

    return read


@pytest.fixture
def person(database):
    async def read(user_id):
        columns = (users_table.c.name, users_table.c.username, users_table.c.language)
        async with database.reading() as db:
            return dict(
                (await db.execute(select(*columns).where(users_table.c.id == user_id))).one()._mapping
            )

    return read


async def test_a_chat_is_there_again_when_it_speaks(given, do, clock, chat):
    await given.enter_group(GROUP)
    await do(chats.mark_gone, GROUP, now=clock.forward(5))
    assert (await chat(GROUP)).gone_at == clock()
    await given.enter_group(GROUP)
    assert (await chat(GROUP)).gone_at is None
    assert (await chat(GROUP)).first_seen_at == clock() - 5


async def test_people_and_chats_are_called_as_they_call_themselves_now(given, do, clock, chat, person):
    await given.person(ANN)
    await given.enter_group(GROUP)
    who = {"name": "Ann B.", "username": "annb", "language": "de"}
    await do(chats.meet, ANN, **who, signup_credits=100, now=clock())
    await do(chats.enter, GROUP, kind="group", title="Choir", now=clock())
    assert await person(ANN) == who
    assert (await chat(GROUP)).title == "Choir"


async def test_who_is_only_known_by_id_keeps_their_name(given, do, clock, chat, person):
    await given.person(ANN)
    await given.enter_group(GROUP)
    before = await person(ANN)
    nobody = {"name": "", "username": None, "language": None}
    await do(chats.meet, ANN, **nobody, signup_credits=100, now=clock())
    await do(chats.enter, GROUP, kind="", title=None, now=clock())
    assert await person(ANN) == before
    assert ((await chat(GROUP)).kind, (await chat(GROUP)).title) == ("group", "Band")


async def test_a_group_takes_its_jobs_lookups_and_credits_along(given, do, clock, chat):
    await given.enter_group(GROUP)
    job = await given.job(chat_id=GROUP, message_id=5, status_message_id=6)
    words = {"request_key": "1", "kind": "task", "reference": "t", "message_id": 1, "now": clock()}
    await do(lookups.ask, chat_id=GROUP, **words)
    account = await do(ledger.account_of, "group", GROUP)
    await do(chats.migrate, GROUP, SUPERGROUP, now=clock())
    assert (await chat(GROUP)).migrated_to == SUPERGROUP
    moved = await do(jobs.find, job.id)
    assert (moved.chat_id, moved.message_id, moved.status_message_id) == (SUPERGROUP, None, None)
    assert (await do(lookups.claim, now=clock(), lease_s=60)).chat_id == SUPERGROUP
    assert (await do(ledger.account_of, "group", SUPERGROUP)).id == account.id


async def test_a_group_that_moves_twice_changes_nothing_the_second_time(given, do, clock):
    await given.enter_group(GROUP)
    account = await do(ledger.account_of, "group", GROUP)
    for _ in range(2):
        await do(chats.migrate, GROUP, SUPERGROUP, now=clock())
    assert (await do(ledger.account_of, "group", SUPERGROUP)).id == account.id
    assert await do(ledger.find_account, "group", GROUP) is None


@pytest.fixture
def group_job(given, do, clock):
    """A job that a group pays for."""

    async def make(chat_id):
        await given.enter_group(chat_id)
        account = await do(ledger.account_of, "group", chat_id)
        gift = {"operation": f"gift:{chat_id}", "note": "a gift", "now": clock()}
        await do(ledger.grant, account, 30, **gift)
        return await given.job(chat_id=chat_id, account_id=account.id)

    return make


async def test_a_group_that_has_an_account_at_its_new_place_already_has_the_credits_of_both(
    group_job, do, clock
):
    jobs_of = {chat_id: await group_job(chat_id) for chat_id in (GROUP, SUPERGROUP)}
    await do(chats.migrate, GROUP, SUPERGROUP, now=clock())
    account = await do(ledger.account_of, "group", SUPERGROUP)
    assert account.balance == 2 * (30 - 10)
    for chat_id, job in jobs_of.items():
        await do(moves.move, await do(jobs.find, job.id), JobState.CANCELLED, now=clock())
        assert await do(ledger.balance, job.account_id) == {GROUP: 50, SUPERGROUP: 60}[chat_id]
    assert await do(ledger.find_account, "group", GROUP) is None
    assert await do(audit.broken_rules) == []


async def test_an_account_at_the_new_place_in_which_nothing_is_leaves_no_entry(given, do, clock):
    await given.enter_group(GROUP)
    for chat_id in (GROUP, SUPERGROUP):
        await do(ledger.account_of, "group", chat_id)
    await do(chats.migrate, GROUP, SUPERGROUP, now=clock())
    account = await do(ledger.account_of, "group", SUPERGROUP)
    assert (await do(ledger.statement, account.id, limit=10)).entries == ()


async def test_a_group_that_moves_leaves_other_accounts_alone(given, do, clock):
    await given.enter_group(GROUP)
    person = await do(ledger.account_of, "user", GROUP)
    await do(chats.migrate, GROUP, SUPERGROUP, now=clock())
    assert await do(ledger.account_of, "user", GROUP) == person


async def test_a_song_is_made_once(do, clock):
    made = await do(songs.ensure, "song", now=clock())
    assert made == Song("song", None, None, None, None, None, None, clock())
    assert await do(songs.ensure, "song", now=clock.forward(5)) == made


async def test_what_an_upstream_says_is_learnt(do, clock):
    await do(songs.learn, "song", learnt_from="kie", now=clock(), **TOLD)
    assert await do(songs.get, "song") == Song("song", **TOLD, learnt_from="kie", learnt_at=clock())


@pytest.mark.parametrize("left_out", TOLD)
async def test_what_an_upstream_leaves_out_stays(do, clock, left_out):
    await do(songs.learn, "song", learnt_from="kie", now=clock(), **TOLD)
    news = {name: 60.0 if name == "duration_s" else f"newer {name}" for name in TOLD if name != left_out}
    await do(songs.learn, "song", learnt_from="suno_api", now=clock.forward(5), **news)
    assert await do(songs.get, "song") == Song(
        "song", **(TOLD | news), learnt_from="suno_api", learnt_at=clock()
    )


async def test_what_is_no_news_changes_nothing(do, clock):
    await do(songs.learn, "song", learnt_from="kie", title="Paper Boats", now=clock())
    before = await do(songs.get, "song")
    await do(songs.learn, "song", learnt_from="suno_api", title="Paper Boats", now=clock.forward(5))
    await do(songs.learn, "song", learnt_from="suno_api", now=clock.forward(5))
    assert await do(songs.get, "song") == before
