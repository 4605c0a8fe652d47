"""What is old is forgotten; entries never are, nor is what the archive can still send."""

import pytest
from sqlalchemy import insert, select

from storage import archive, audit, deliveries, inbox, jobs, ledger, lookups, notices, retention, separations
from storage.deliveries import PartKind
from storage.inbox import Arrived
from storage.rows import TelegramFile
from storage.states import OPEN_JOBS, JobState, SeparationState
from storage.tables import entries
from storage.tables import jobs as jobs_table
from storage.tables import lookups as lookups_table
from storage.tables import notices as notices_table
from storage.tables import parts as parts_table
from storage.tables import updates as updates_table

J = JobState
BOT = 123456789
DAY_S = 86400.0


@pytest.fixture
def rows(do):
    """A column of a whole table, in order."""

    async def read(column):
        return list(await do(lambda db: db.scalars(select(column).order_by(column))))

    return read


@pytest.fixture
def archived(given, do, clock):
    """A separation whose stems came back; their links work for two weeks, Telegram has the first."""

    async def make():
        separation = await given.separation(state=SeparationState.RUNNING)
        separation = await given.at(separation, SeparationState.SUCCEEDED)
        found = [
            {"name": name, "set_number": 1, "url": f"https://files.example/{name}", "duration_s": 39.5}
            for name in ("vocals", "instrumental")
        ]
        await do(separations.save_stems, separation, found, expires_at=clock() + 14 * DAY_S)
        for stem in await do(separations.stems_of, separation.id):
            file = TelegramFile(stem.id, BOT, "audio", f"file-{stem.id}", f"u{stem.id}", 1000, clock())
            await do(archive.keep, file)
        return separation

    return make


async def test_only_updates_that_were_handled_long_ago_are_forgotten(do, clock, rows):
    for update_id in (1, 2, 3):
        arrived = [Arrived(update_id, 11, "{}")]
        await do(inbox.store, arrived, now=clock(), lease="poller", lease_s=60)
    await do(inbox.handled, [1], now=clock())
    clock.forward(DAY_S)
    await do(inbox.handled, [2], now=clock())
    assert await do(retention.forget_updates, handled_before=clock()) == 1
    assert await rows(updates_table.c.update_id) == [2, 3], "3 was never handled, however old it is"


async def test_links_are_forgotten_when_they_have_expired_and_what_telegram_keeps_stays(do, clock, archived):
    separation = await archived()
    assert await do(retention.forget_links, expired_before=clock() + 14 * DAY_S) == 0
    clock.forward(14 * DAY_S + 1)
    assert await do(retention.forget_links, expired_before=clock()) == 2
    assert await do(retention.forget_links, expired_before=clock()) == 0, "each only once"
    stems = await do(separations.stems_of, separation.id)
    assert [(stem.name, stem.url) for stem in stems] == [("vocals", None), ("instrumental", None)]
    kept = await do(archive.files_of, separation.id, bot_id=BOT)
    assert sorted(file.file_id for file in kept) == [f"file-{stem.id}" for stem in stems]


async def test_links_that_never_expire_are_never_forgotten(given, do, clock):
    separation = await given.separation(state=SeparationState.SUCCEEDED)
    stem = {"name": "vocals", "set_number": 1, "url": "https://files.example/v", "duration_s": 39.5}
    await do(separations.save_stems, separation, [stem], expires_at=None)
    assert await do(retention.forget_links, expired_before=clock() + 10_000 * DAY_S) == 0


async def test_only_jobs_that_ended_long_ago_are_forgotten(given, do, clock, rows):
    old = {state: await given.job(state=state, user_id=20 + number) for number, state in enumerate(J)}
    clock.forward(DAY_S)
    new = await given.job(user_id=40, state=J.DELIVERED)
    assert await do(retention.forget_jobs, finished_before=clock()) == len(J) - len(OPEN_JOBS)
    assert await rows(jobs_table.c.id) == [*sorted(old[state].id for state in OPEN_JOBS), new.id]


async def test_the_parts_of_a_forgotten_job_go_with_it_and_nobody_elses(given, do, clock, rows):
    gone, stays = await given.job(state=J.DELIVERED), await given.job(state=J.DELIVERING)
    for job in (gone, stays):
        plan = [(PartKind.ALBUM, [1, 2]), (PartKind.SINGLE, [3])]
        await do(deliveries.add, job, plan, now=clock())
    assert await do(retention.forget_jobs, finished_before=clock() + 1) == 1
    assert await rows(parts_table.c.job_id) == [stays.id, stays.id]


async def test_what_forgotten_jobs_cost_stays_in_the_ledger(given, do, clock, rows):
    for state in (J.DELIVERED, J.CANCELLED, J.FAILED, J.LEFT):
        await given.job(state=state)
    account, before = await given.person(), await rows(entries.c.id)
    shown = await do(ledger.statement, account.id, limit=100)
    assert await do(retention.forget_jobs, finished_before=clock() + 1) == 4
    assert await rows(entries.c.id) == before
    assert await do(ledger.statement, account.id, limit=100) == shown
    assert await do(audit.broken_rules) == []


async def test_what_the_archive_can_send_is_never_forgotten(given, do, clock, archived):
    separation = await archived()
    await given.job(separation=separation, state=J.DELIVERED)
    clock.forward(10_000 * DAY_S)
    await forget_everything(do, clock)
    wanted = {"bot_id": BOT, "now": clock()}
    kept = await do(separations.archived_for, separation.audio_id, "basic", **wanted)
    assert kept.id == separation.id


async def test_what_was_paid_once_stays_paid_when_the_job_that_paid_it_is_old(given, do, clock, archived):
    """Else the next repeat from the archive would cost the full price again."""
    separation = await archived()
    await given.job(separation=separation, state=J.DELIVERED)
    clock.forward(10_000 * DAY_S)
    await forget_everything(do, clock)
    assert await do(jobs.is_paid, separation.id)


async def test_so_many_old_jobs_go_at_once_and_the_oldest_first(given, do, clock, rows):
    first = await given.job(state=J.DELIVERED, price=0)
    values = {name: getattr(first, name) for name in ("separation_id", "account_id", "chat_id", "origin")}
    ended = {"state": J.DELIVERED, "price": 0, "created_at": clock(), "finished_at": clock(), **values}
    copies = [{"request_key": f"copy-{number}", **ended} for number in range(retention.AT_ONCE + 1)]
    await do(lambda db: db.execute(insert(jobs_table), copies))
    assert await do(retention.forget_jobs, finished_before=clock() + 1) == retention.AT_ONCE
    assert len(await rows(jobs_table.c.id)) == 2
    assert await do(jobs.find, first.id) is None
    assert await do(retention.forget_jobs, finished_before=clock() + 1) == 2


async def test_only_answered_lookups_are_forgotten(given, do, clock, rows):
    await given.person()
    for message_id in (1, 2):
        asked = {"kind": "task", "reference": "t", "mode": None, "user_id": 11, "chat_id": 11}
        more = {"message_id": message_id, "thread_id": None, "request_key": f"m{message_id}"}
        await do(lookups.ask, now=clock(), **asked, **more)
    lookup = await do(lookups.claim, now=clock(), lease_s=60)
    await do(lookups.answered, lookup)
    await do(retention.forget_answers, asked_before=clock())
    assert len(await rows(lookups_table.c.id)) == 2, "not old enough yet"
    await do(retention.forget_answers, asked_before=clock() + 1)
    assert await rows(lookups_table.c.id) == [3 - lookup.id]


async def test_only_words_to_operators_that_were_said_are_forgotten(do, clock, rows):
    await do(notices.raise_alert, "kie:key", "The key was refused", [11, 12], now=clock())
    notice = await do(notices.claim, now=clock(), lease_s=60)
    await do(notices.said, notice)
    await do(retention.forget_answers, asked_before=clock() + 10_000 * DAY_S)
    (left,) = await rows(notices_table.c.id)
    assert left != notice.id
    assert await do(notices.standing) == {"kie:key"}, "it is still known, and not told again"


async def forget_everything(do, clock):
    """As the bot does it, with the shortest times there are."""
    await do(retention.forget_updates, handled_before=clock())
    await do(retention.forget_answers, asked_before=clock())
    await do(retention.forget_links, expired_before=clock())
    await do(retention.forget_jobs, finished_before=clock())
