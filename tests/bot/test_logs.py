import contextlib
import io
import json
import logging
import re
import sys
import threading
import warnings
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import FLOORS, configure, redaction

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_1"
FOREIGN_TOKEN = "987654321:AAOtherOtherOtherOtherOtherOther-2"
COOKIE = '__client=abc"d\\e; café=1&2'
SECRETS = (TOKEN, "kie-key-0123456789", COOKIE, "p@ss/word", "bot")

logger = logging.getLogger("stembot.test")


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    root = logging.getLogger()
    handlers, level, hooks = root.handlers[:], root.level, (sys.excepthook, threading.excepthook)
    levels = {name: logging.getLogger(name).level for name in FLOORS}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture(params=["text", "json"])
def written(request):
    """What was logged so far, in either format; JSON lines must be JSON."""
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        configure("INFO", request.param, SECRETS)

    def written():
        if request.param == "text":
            return stderr.getvalue()
        return "\n".join("\n".join(json.loads(line).values()) for line in stderr.getvalue().splitlines())

    return written


def fail(error, cause=None):
    raise error from cause


@pytest.mark.parametrize("secret", SECRETS[:4])
@pytest.mark.parametrize(
    "spelled", [str, quote, lambda secret: quote(secret, safe="").lower(), repr, json.dumps]
)
def test_a_secret_is_hidden_in_every_spelling(written, secret, spelled):
    logger.info("got %s there", spelled(secret))
    line = written()
    assert "[secret]" in line
    assert spelled(secret).strip("'\"") not in line
    assert line.rstrip().endswith("there")


def test_a_secret_is_hidden_in_a_traceback_and_in_its_causes(written):
    try:
        try:
            fail(httpx.ConnectError(f"no route to https://api.telegram.org/bot{TOKEN}/getMe"))
        except httpx.ConnectError as error:
            fail(ValueError(f"Authorization: Bearer {SECRETS[1]}"), error)
    except ValueError:
        logger.exception("a step failed with %r", {"key": SECRETS[1]})
    text = written()
    assert "ConnectError" in text
    assert "ValueError" in text
    assert "a step failed with {'key': '[secret]'}" in text
    assert TOKEN not in text
    assert "AAFake" not in text
    assert SECRETS[1] not in text


def test_a_token_that_nobody_told_us_of_is_hidden(written):
    logger.info(
        "https://api.telegram.org/file/bot%s/music/1.mp3?t=%s", FOREIGN_TOKEN, quote(FOREIGN_TOKEN, safe="")
    )
    text = written()
    assert "https://api.telegram.org/file/bot[secret]/music/1.mp3?t=[secret]" in text


FORMS = [
    ("Authorization: Bearer sk-0123456789abcdef.xyz=", "Authorization: [secret]"),
    ("a bearer of bad news", "a bearer of bad news"),
    ("postgresql://ann:hunter2@db/stembot", "postgresql://ann:[secret]@db/stembot"),
    ("POST /upstream/kie/q3xN-_9 404", "POST /upstream/kie/[secret] 404"),
    ("12:34:56 at http://localhost:8080/healthz", "12:34:56 at http://localhost:8080/healthz"),
    ("job 5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034", "job 5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034"),
    ("stembot robot", "stembot robot"),  # "bot" is among the secrets, but too short to be one
]


@pytest.mark.parametrize(("plain", "redacted"), FORMS)
def test_what_has_the_form_of_a_secret_is_hidden_and_nothing_else(plain, redacted):
    assert redaction(SECRETS)(plain) == redacted


@given(before=st.text(), after=st.text(), secret=st.text(min_size=6))
def test_no_text_around_it_lets_a_secret_through(before, after, secret):
    line = redaction([secret])(before + secret + after)
    assert "[secret]" in line
    assert secret not in line.replace("[secret]", "\n") or secret in "[secret]"


@given(text=st.text(), secret=st.text(min_size=6))
def test_a_json_line_stays_one_valid_line(text, secret):
    configure("INFO", "json", [secret])
    (handler,) = logging.getLogger().handlers
    record = logger.makeRecord(logger.name, logging.INFO, __file__, 1, "%s", (text + secret,), None)
    line = handler.format(record)
    assert len(line.splitlines()) == 1
    assert set(json.loads(line)) == {"time", "level", "logger", "message"}


def test_a_text_line_names_time_level_and_logger(capsys):
    configure("INFO", "text", ())
    logger.warning("%s is ready", "everything")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING stembot\.test: everything is ready\n",
        capsys.readouterr().err,
    )


def test_a_json_line_holds_the_traceback(capsys):
    configure("INFO", "json", ())
    try:
        fail(KeyError("vocals"))
    except KeyError:
        logger.exception("no stem")
    entry = json.loads(capsys.readouterr().err)
    assert (entry["level"], entry["logger"], entry["message"]) == ("ERROR", "stembot.test", "no stem")
    assert entry["exc"].startswith("Traceback")
    assert entry["exc"].endswith("KeyError: 'vocals'")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])


def test_a_foreign_text_cannot_forge_a_line_or_reach_the_terminal(capsys):
    configure("INFO", "text", ())
    logger.info("title: %s", "x\n2026-11-20T00:00:00.000Z ERROR bot: \x1b[31mred\r")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r"title: x\n2026-11-20T00:00:00.000Z ERROR bot: \x1b[31mred\x0d")


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING"])
def test_libraries_do_not_tell_of_every_request(level, capsys):
    configure(level, "text", ())
    for name in ("httpx", "httpcore.http11", "uvicorn.access", "urllib3.connectionpool"):
        logging.getLogger(name).info("HTTP Request: POST")
    logging.getLogger("asyncio").debug("Using selector")
    logging.getLogger("httpx").warning("something is wrong")
    assert capsys.readouterr().err.splitlines()[0].endswith("WARNING httpx: something is wrong")


def test_a_higher_level_holds_for_libraries_too(capsys):
    configure("ERROR", "text", ())
    logging.getLogger("httpx").warning("not this")
    logging.getLogger("asyncio").info("nor this")
    logger.warning("nor this")
    assert capsys.readouterr().err == ""


def test_a_second_configuration_replaces_the_first(capsys):
    configure("INFO", "text", ())
    configure("INFO", "json", ())
    logger.info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_warnings_are_log_lines(written):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)  # catch_warnings put the old showwarning aside
        warnings.warn(f"old: {TOKEN}", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    text = written()
    assert "DeprecationWarning: old: [secret]" in text
    assert TOKEN not in text


def test_what_nobody_caught_is_logged_too(written):
    try:
        fail(ValueError(TOKEN))
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    text = written()
    assert "stopped by an error" in text
    assert "ValueError: [secret]" in text
    assert TOKEN not in text


def test_what_a_thread_did_not_catch_is_logged_too(written):
    thread = threading.Thread(target=fail, args=[ValueError(TOKEN)], name="worker")
    thread.start()
    thread.join()
    text = written()
    assert "thread worker stopped by an error" in text
    assert "ValueError: [secret]" in text


def test_an_interrupt_by_the_operator_is_no_error(written):
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert written() == ""


def test_a_line_that_cannot_be_written_shows_its_place_and_not_its_arguments(capsys):
    configure("INFO", "text", SECRETS)
    logger.info("%d", TOKEN)
    text = capsys.readouterr().err
    assert re.fullmatch(r"a log line was lost at .*test_logs\.py:\d+ \(TypeError\)\n", text)
