"""Every text is HTML that Telegram takes, whatever foreign text is in it, and short enough."""

from dataclasses import fields
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import texts
from bot.texts import Delivered
from providers.base import Mode
from sandbox.telegram.html import parse_html
from storage import rows
from storage.jobs import JobView
from storage.ledger import JobNote, Statement
from storage.states import Entry
from storage.states import JobState as J
from storage.states import SeparationState as S
from tests.bot.world import SONG, TASK

PRICES = {Mode.BASIC: 10, Mode.FULL: 50}
# What people type and upstreams send: also half of what HTML and str.format know.
FOREIGN = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=300) | st.sampled_from(
    ["<b>", "&", "</code>", '"><a href="x">', "{word}", "{0}", "&lt;", "a" * 500, "𝄞" * 300]
)
TEXT_MAX = 4096
NOTHING = Delivered()


def row(kind, /, **values):
    return kind(**dict.fromkeys(field.name for field in fields(kind)) | values)


def song(title="Paper Boats"):
    return row(rows.Song, audio_id=SONG, title=title)


def view(
    state=J.WAITING,
    at=S.RUNNING,
    *,
    title="Paper Boats",
    mode="basic",
    why=None,
    price=10,
    origin="started",
    **of_separation,
):
    separation = {
        "audio_id": SONG,
        "task_id": TASK,
        "mode": mode,
        "provider": "kie",
        "price": price,
        "why": why,
    }
    times = {"created_at": 1000.0, "deadline_at": 2800.0}
    return JobView(
        row(rows.Job, id=12, state=state, price=price, origin=origin, created_at=1000.0, chat_id=1, why=why),
        row(rows.Separation, state=at, **{"tried_json": "[]", **separation, **times, **of_separation}),
        song(title),
    )


def status(shown, delivered=NOTHING, now=1065.0, upstream="kie.ai", held_up_s=0.0):
    return texts.status(shown, upstream, balance=90, delivered=delivered, now=now, held_up_s=held_up_s)


def takes(text):
    """Telegram takes it: it parses, is not empty, and is not too long."""
    plain = parse_html(text).text
    return plain.strip() and len(plain.encode("utf-16-le")) // 2 <= TEXT_MAX


@given(
    state=st.sampled_from(J),
    at=st.sampled_from(S),
    mode=st.sampled_from(["basic", "full"]),
    title=FOREIGN | st.none(),
    why=st.text(max_size=300) | st.none(),
    origin=st.sampled_from(["started", "joined", "archive"]),
    price=st.integers(0, 100),
)
def test_the_status_of_any_job_is_html_that_telegram_takes(state, at, mode, title, why, origin, price):
    shown = view(state, at, title=title, mode=mode, why=why, price=price, origin=origin)
    delivered = Delivered(sent=["vocals", "<odd>"], too_big=["drums"], unsure=["bass"], missing=["fx"])
    assert takes(status(shown, delivered))
    assert takes(status(shown, delivered, held_up_s=50.0))
    assert takes(texts.job_line(shown))


@given(st.lists(FOREIGN, min_size=10, max_size=10))
def test_a_page_of_jobs_with_any_titles_is_taken(titles):
    assert takes(texts.job_list([view(title=title) for title in titles], 0))


@given(title=FOREIGN | st.none(), names=st.lists(FOREIGN, min_size=1, max_size=12), url=FOREIGN)
def test_links_with_any_names_are_taken(title, names, url):
    families = {"Voice": [(name[:60], f"https://files.example/{url[:200]}") for name in names]}
    assert takes(texts.links(song(title), families, "4 December 2026"))


@given(note=FOREIGN, kind=st.sampled_from(Entry), amount=st.integers(-100, 100))
def test_a_statement_with_any_note_is_taken(note, kind, amount):
    entries = tuple(
        row(rows.LedgerEntry, kind=kind, amount=amount, job_id=1, note=note[:100]) for _ in range(10)
    )
    notes = {1: JobNote(note)}
    assert takes(texts.statement(Statement(90, 10, entries, tuple(range(50)), notes), PRICES, 0, 0))


@given(word=FOREIGN)
def test_answers_to_odd_words_are_taken(word):
    for pattern in (texts.NOT_AN_ID, texts.UNKNOWN_WORD, texts.TOO_MANY, texts.STEMS_USAGE):
        assert takes(pattern.format(word=escape(word[:60])))
    for pattern in (texts.TASK_UNREADABLE,):
        assert takes(pattern.format(why=escape(word[:200]), task_id=TASK))


def test_the_fixed_texts_are_taken():
    for name, value in vars(texts).items():
        if name.isupper() and isinstance(value, str):
            assert takes(value), name


@pytest.mark.parametrize("prices", [PRICES, {Mode.BASIC: 10}], ids=["both", "basic only"])
def test_what_things_cost_is_told_for_whatever_modes_there_are(prices):
    told = [
        texts.help_text(prices, 0),
        texts.start_text(prices, 3, 100),
        texts.offer(song(), prices),
        texts.statement(Statement(90, 0, ()), prices, 0, 0),
    ]
    for text in told:
        assert takes(text)
        assert all(str(price) in text for price in prices.values())


def test_every_state_has_a_word():
    assert set(texts.STATES) == set(J)
    assert set(texts.ENTRIES) == set(Entry)
    assert set(texts.MODES) == set(texts.USUAL) == set(Mode)


WAITING = [
    (S.QUEUED, {"failures": 1}, "not taking orders"),
    (S.QUEUED, {}, "Waiting until kie.ai takes the order. 1:05 so far"),
    (S.SUBMITTING, {}, "Ordering at kie.ai"),
    (S.RUNNING, {}, "1:05 so far"),
    (S.UNCERTAIN, {}, "won't order a second time"),
    (S.SUCCEEDED, {}, "The stems are ready"),
]


@pytest.mark.parametrize(("at", "changes", "expected"), WAITING)
def test_waiting_says_what_is_going_on(at, changes, expected):
    assert expected in status(view(J.WAITING, at, **changes))


def test_at_first_it_is_being_ordered():
    assert status(view(J.WAITING, S.QUEUED), now=1005.0).endswith("Ordering at kie.ai… usually 1–2 minutes.")


def test_what_another_upstream_gets_says_why_and_not_that_this_one_refuses():
    moved_on = view(
        J.WAITING, S.QUEUED, why="x", tried_json='[["apikley", "it has <no> credits"]]', failures=0
    )
    assert "It has &lt;no&gt; credits. Ordering at kie.ai…" in status(moved_on, now=1005.0)


def test_an_uncertain_order_says_when_the_credits_come_back():
    assert "within 28:55" in status(view(J.WAITING, S.UNCERTAIN))


def test_a_delivery_names_what_came_and_how():
    told = status(
        view(J.DELIVERED),
        Delivered(sent=["vocals", "fx"], linked=["bass"], unsure=["drums"], missing=["backing_vocals"]),
    )
    assert "Delivered: Vocals, FX." in told
    assert "links" in told
    assert "Bass" in told
    assert "did not confirm Drums" in told
    assert "Could not be sent: Backing Vocals" in told
    assert "10 credits paid · balance 90" in told


def test_many_stems_are_counted():
    assert "12 stems" in status(view(J.DELIVERED), Delivered(sent=[f"stem {n}" for n in range(12)]))


def test_what_cost_nothing_says_so():
    assert "No credits charged" in status(view(J.DELIVERED, price=0, origin="archive"))


def test_a_failure_says_why_and_what_to_do_next():
    told = status(view(J.FAILED, S.FAILED, why="no luck.", mode="full"))
    assert "No stems: no luck.\nNothing was charged" in told
    assert "/stems" in told
    assert "full" in told


def test_one_credit_is_one():
    told = texts.insufficient(1, 0, PRICES)
    assert "costs 1 credit," in told
    assert "have 0 credits" in told


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, ""), (0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3600, "60:00")]
)
def test_a_duration(seconds, shown):
    assert texts.duration(seconds) == shown


def test_commands_are_what_telegram_takes():
    for name, meaning in texts.COMMANDS.items():
        assert name.isascii()
        assert name.islower()
        assert 1 <= len(meaning) <= 256


@pytest.mark.parametrize(
    "text", [texts.NOT_YOURS, texts.STALE_BUTTON, texts.CANCELLED_TOAST, texts.LEAVING_TOAST]
)
def test_what_answers_a_press_fits_into_an_alert_and_has_no_markup(text):
    assert len(text) <= 200
    assert "<" not in text


HELD_UP = [
    ([], ["vocals", "bass"], 50.0, "The stems are ready; they follow in about a minute: {why}."),
    (["vocals"], ["bass"], 20.0, "The first half is here; the second follows in about a minute: {why}."),
    (["a"] * 6, ["b"] * 5, 130.0, "6 stems are here; the rest follows in about 2 minutes: {why}."),
]


@pytest.mark.parametrize(("sent", "missing", "held_up_s", "told"), HELD_UP)
def test_a_delivery_that_waits_says_what_is_there_when_the_rest_follows_and_why(
    sent, missing, held_up_s, told
):
    shown = view(J.DELIVERING, S.SUCCEEDED, why=texts.GROUP_FULL)
    text = status(shown, Delivered(sent=sent, missing=missing), held_up_s=held_up_s)
    assert text.endswith(told.format(why=texts.GROUP_FULL))


def test_files_that_are_too_large_are_told_apart_and_can_be_made_smaller():
    text = status(view(J.DELIVERED, S.SUCCEEDED), Delivered(sent=["bass"], too_big=["vocals"]))
    assert "because they are too large for Telegram: Vocals. “Make it fit”" in text
    fitted = status(view(J.DELIVERED, S.SUCCEEDED), Delivered(sent=["vocals"], made_to_fit=True))
    assert "Delivered, made smaller so that Telegram takes them: Vocals." in fitted
