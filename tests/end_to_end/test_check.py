"""``stembot check`` and ``stembot migrate``, and what every command says about wrong settings."""

import itertools
import re
import sqlite3

import pytest

from sandbox.telegram import faults
from sandbox.upstreams import BRANDS

ALL = {"PROVIDERS": ",".join(BRANDS)}
CLOSED = "http://127.0.0.1:9"  # the discard port: nobody listens there


async def outcome(town, name, **settings):
    """Exit status and output of a command; no secret is ever in it."""
    command = await town.home.command(name, **settings)
    status = await command.ended()
    assert "Traceback" not in command.output
    for secret in (value for key, value in town.home.settings.items() if key.endswith(("KEY", "TOKEN"))):
        assert secret not in command.output
    return status, command.output


def row(output, what):
    """One finding of the table: what, ok or no, and what is told; that may take several lines."""
    lines = [[cell.strip() for cell in re.split("[│┃|]", line)[1:-1]] for line in output.splitlines()]
    lines = [cells for cells in lines if len(cells) == 3]
    first = next(number for number, cells in enumerate(lines) if cells[0] == what)
    more = itertools.takewhile(lambda cells: not cells[0], lines[first + 1 :])
    return [*lines[first][:2], "".join([lines[first][2], *(cells[2] for cells in more)])]


async def test_check_finds_everything_right_and_changes_nothing(town):
    status, output = await outcome(town, "check", **ALL)
    assert status == 0
    assert row(output, "Telegram")[1:] == ["ok", "@stembot_sandbox_bot"]
    assert row(output, "sunoapi.org")[1:] == ["ok", "answers, 1000 credits left"]
    assert row(output, "settings")[1] == row(output, "database")[1] == "ok"
    assert output.count("credits left") == len(BRANDS)
    assert "will be made by" in row(output, "database")[2]
    assert list(town.home.folder.glob("*.db*")) == []
    assert {call.method for call in town.telegram.calls} == {"getMe"}


async def test_check_fails_for_one_key_that_is_wrong(town):
    key = "wrong-key-0123456789abcdef"
    status, output = await outcome(town, "check", **ALL, KIE_API_KEY=key)
    assert status == 1
    assert row(output, "kie.ai")[1] == "no"
    assert row(output, "sunoapi.org")[1] == "ok"
    assert key not in output


@pytest.mark.parametrize("fault", [faults.reset_before(), faults.html()], ids=["cut", "html"])
async def test_check_fails_if_only_telegram_does_not_answer(town, fault):
    town.telegram.fail_next("getMe", fault, times=100)
    status, output = await outcome(town, "check")
    assert status == 1
    assert row(output, "Telegram")[1] == "no"
    assert row(output, "sunoapi.org")[1] == "ok"


async def test_check_goes_on_to_the_end_whatever_is_wrong(town):
    town.home.database.write_bytes(b"no database at all" * 100)
    town.telegram.fail_next("getMe", faults.error(401, "Unauthorized"), times=100)
    status, output = await outcome(town, "check", PROVIDERS="sunoapi_org,kie", SUNOAPI_ORG_URL=CLOSED)
    assert status == 1
    assert [row(output, what)[1] for what in ("database", "Telegram", "sunoapi.org")] == ["no"] * 3
    assert row(output, "settings")[1] == row(output, "kie.ai")[1] == "ok"


async def test_check_knows_a_database_that_is_in_use_at_the_newest_migration(town):
    await town.home.start()
    status, output = await outcome(town, "check")
    assert status == 0
    assert "newest migration" in row(output, "database")[2]


WRONG = {
    "TELEGRAM_TOKEN": "no-token-at-all-8d7f6a5b4c3d2e1f",
    "HTTP_PORT": "many",
    "PROVIDERS": "sunoapi_org,nobody",
    "LOOK_EVERY_SECONDS": "-1",
    "PUBLIC_URL": "http://bot.example",
    "LOG_LEVEL": "LOUD",
}


@pytest.mark.parametrize("command", ["run", "check"])
async def test_every_wrong_setting_is_one_line_with_an_example(town, command):
    status, output = await outcome(town, command, **WRONG)
    assert status == 2
    assert sorted(line.partition(":")[0] for line in output.splitlines()) == sorted(WRONG)
    assert all(f"Example: {line.partition(':')[0]}=" in line for line in output.splitlines())
    assert WRONG["TELEGRAM_TOKEN"] not in output
    assert not town.home.database.exists()


async def test_what_is_needed_and_missing_is_a_wrong_setting(town):
    status, output = await outcome(town, "run", TELEGRAM_TOKEN="", TELEGRAM_WEBHOOK="true")
    assert status == 2
    assert sorted(line.partition(":")[0] for line in output.splitlines()) == ["PUBLIC_URL", "TELEGRAM_TOKEN"]


async def test_a_setting_in_the_file_is_read_and_the_environment_wins(town):
    (town.home.folder / ".env").write_text("PROVIDERS=kie\nHTTP_PORT=none\nSIGNUP_CREDIT=5\n")
    status, output = await outcome(town, "check", PROVIDERS="")
    assert status == 0
    assert "SIGNUP_CREDIT in .env is not a setting. Is SIGNUP_CREDITS meant?" in output
    assert row(output, "kie.ai")[1] == "ok"


async def test_migrate_makes_the_database_and_needs_neither_token_nor_upstream(town):
    nobody = {"TELEGRAM_TOKEN": "", "PROVIDERS": "", "LOG_LEVEL": "WARNING"}
    status, output = await outcome(town, "migrate", **nobody)
    assert status == 0
    assert "is now at migration" in output
    with sqlite3.connect(town.home.database) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert "jobs" in tables
    status, output = await outcome(town, "migrate", **nobody)
    assert status == 0
    assert "is at the newest migration already" in output
    assert town.telegram.calls == []
