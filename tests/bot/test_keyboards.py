import uuid
from contextlib import suppress
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import keyboards, songs
from bot.keyboards import MODE_OF, BadPress, Offers, Press, Verb
from providers.base import Mode, Song, SongRef
from storage import rows
from storage.jobs import JobView
from storage.states import JobState as J
from storage.states import SeparationState as S
from tests.bot.world import ANN, BAND, SONG, TASK

LARGEST = 2**52 - 1  # Telegram: ids have at most 52 significant bits
JOB_LARGEST = 10**12
AUDIO_IDS = st.uuids().map(str)
TASK_IDS = st.uuids().map(lambda task: task.hex) | st.uuids().map(str) | st.none()
USERS = st.integers(1, LARGEST) | st.none()
PRICES = {Mode.BASIC: 10, Mode.FULL: 50}


def row(kind, /, **values):
    return kind(**dict.fromkeys(field.name for field in fields(kind)) | values)


def view(state=J.WAITING, *, mode="basic", job_id=1, title=None, chat_id=ANN):
    return JobView(
        row(rows.Job, id=job_id, state=state, user_id=ANN, chat_id=chat_id, price=10, origin="started"),
        row(
            rows.Separation,
            state=S.RUNNING,
            audio_id=SONG,
            mode=mode,
            provider="kie",
            tried_json="[]",
            price=10,
        ),
        row(rows.Song, audio_id=SONG, title=title),
    )


def datas(markup):
    return [button.callback_data for line in markup.inline_keyboard for button in line]


def labels(markup):
    return [button.text for line in markup.inline_keyboard for button in line] if markup else []


def fits(markup):
    return all(1 <= len(data.encode()) <= 64 for data in datas(markup))


@given(audio_id=AUDIO_IDS, task_id=TASK_IDS, owner=USERS)
def test_an_offer_fits_into_its_buttons_and_comes_back_whole(audio_id, task_id, owner):
    song = SongRef(audio_id, task_id)
    markup = keyboards.offer(song, owner, PRICES)
    assert fits(markup)
    for data, mode in zip(datas(markup), PRICES, strict=True):
        press = keyboards.parse(data)
        assert (MODE_OF[press.verb], press.number(0)) == (mode, owner or keyboards.ANYBODY)
        assert songs.unpack(press.arguments[1]) == song


@given(
    audio_id=AUDIO_IDS, task_id=st.uuids().map(lambda task: task.hex), owner=USERS, mode=st.sampled_from(Mode)
)
def test_so_do_the_songs_of_a_task(audio_id, task_id, owner, mode):
    markup = keyboards.pick([Song(audio_id, task_id, "Paper Boats", 61.0)], mode, owner)
    assert fits(markup)
    (press,) = map(keyboards.parse, datas(markup))
    assert MODE_OF[press.verb] is mode
    assert songs.unpack(press.arguments[1]) == SongRef(audio_id, task_id)


@given(job_id=st.integers(1, JOB_LARGEST), state=st.sampled_from(J), full_set=st.booleans())
def test_a_status_messages_buttons_name_its_job(job_id, state, full_set):
    markup = keyboards.status(view(state, job_id=job_id), Offers(*[full_set] * 4))
    if markup is not None:
        assert fits(markup)
        assert {keyboards.parse(data).number(0) for data in datas(markup)} == {job_id}


@given(
    job_ids=st.lists(st.integers(1, JOB_LARGEST), min_size=1, max_size=10, unique=True),
    owner=st.integers(1, LARGEST),
    page=st.integers(0, 10**9),
    has_more=st.booleans(),
)
def test_a_page_of_jobs_opens_each_of_them(job_ids, owner, page, has_more):
    markup = keyboards.job_list([view(job_id=job_id) for job_id in job_ids], owner, page, has_more)
    assert fits(markup)
    opened = [press for press in map(keyboards.parse, datas(markup)) if press.verb is Verb.OPEN]
    assert [(press.number(0), press.number(1), press.number(2)) for press in opened] == [
        (owner, job_id, page) for job_id in job_ids
    ]


@given(owner=st.integers(0, LARGEST), page=st.integers(1, 10**9))
def test_pages_lead_to_their_neighbours(owner, page):
    for markup, verb in (
        (keyboards.credits_pages(owner, page, True), Verb.CREDITS),
        (keyboards.job_list([], owner, page, True), Verb.JOBS),
    ):
        assert fits(markup)
        presses = [keyboards.parse(data) for data in datas(markup)]
        assert [press.verb for press in presses] == [verb, verb]
        assert [press.number(1) for press in presses] == [page - 1, page + 1]


BUTTONS = [
    (J.WAITING, None, ["Cancel"]),
    (J.LEAVING, None, []),
    (J.DELIVERING, Mode.FULL, []),
    (J.DELIVERED, Mode.FULL, ["Full set", "Send again"]),
    (J.DELIVERED, Mode.BASIC, ["Send again", "Two stems"]),
    (J.DELIVERED, None, ["Send again"]),
    (J.LEFT, Mode.FULL, []),
    (J.FAILED, None, ["Try again"]),
    (J.CANCELLED, None, ["Try again"]),
]


@pytest.mark.parametrize(("state", "other_mode", "expected"), BUTTONS)
def test_each_state_has_its_buttons(state, other_mode, expected):
    assert labels(keyboards.status(view(state), Offers(other_mode=other_mode))) == expected


def test_what_else_can_be_had_is_offered():
    offers = Offers(other_mode=Mode.FULL, second_set=True, silent_stems=True, make_fit=True, one_stem=True)
    shown = labels(keyboards.status(view(J.DELIVERED), offers))
    assert shown == ["Full set", "Send again", "Second set", "Silent stems", "Make it fit", "One stem"]


def test_in_a_group_it_can_be_sent_to_ones_own_chat():
    assert labels(keyboards.status(view(J.DELIVERED, chat_id=BAND)))[-1] == "To my chat"


@given(job_id=st.integers(1, JOB_LARGEST), stem_ids=st.lists(st.integers(1, JOB_LARGEST), max_size=24))
def test_each_stem_can_be_picked(job_id, stem_ids):
    stems = [row(rows.Stem, id=stem_id, name="backing_vocals", set_number=2) for stem_id in stem_ids]
    markup = keyboards.stems_of(view(J.DELIVERED, job_id=job_id).job, stems)
    assert fits(markup)
    *picks, back = [keyboards.parse(data) for data in datas(markup)]
    assert [(press.verb, press.number(0), press.number(1)) for press in picks] == [
        (Verb.ONE_STEM, job_id, stem_id) for stem_id in stem_ids
    ]
    assert (back.verb, back.number(0)) == (Verb.FOLD, job_id)


@given(st.text())
def test_any_text_parses_or_does_not(data):
    press = keyboards.parse(data)
    assert press is None or isinstance(press, Press)


@given(st.text(), st.integers(-1, 3))
def test_an_argument_is_a_number_or_none(text, position):
    press = Press(Verb.CANCEL, tuple(text.split(":")))
    with suppress(BadPress):
        assert isinstance(press.number(position), int)


@pytest.mark.parametrize("data", ["", "1", "c:1", "0:c:1", "2:c:1", "1:C:1", "1:cancel:1", ":c:1", "1::1"])
def test_foreign_data_is_none(data):
    assert keyboards.parse(data) is None


@pytest.mark.parametrize("title", [None, "", "x" * 300, "𝄞" * 300, "a\nb"])
def test_a_song_of_any_title_has_a_label(title):
    markup = keyboards.pick([Song(SONG, TASK, title, None)], Mode.BASIC, ANN)
    assert all(label.strip() for label in labels(markup))
    assert labels(keyboards.job_list([view(title=title)], ANN, 0, False))


def test_a_song_whose_title_and_length_are_known_shows_both():
    markup = keyboards.pick([Song(SONG, TASK, "Paper Boats", 125.9)], Mode.BASIC, ANN)
    assert labels(markup) == ["Paper Boats · 2:05"]


def test_no_jobs_and_no_pages_are_no_keyboard():
    assert keyboards.job_list([], ANN, 0, False) is None
    assert keyboards.credits_pages(ANN, 0, False) is None


def test_an_opened_job_leads_back_to_its_page():
    markup = keyboards.opened_job(keyboards.status(view()), ANN, 3)
    press = keyboards.parse(datas(markup)[-1])
    assert (press.verb, press.number(0), press.number(1)) == (Verb.JOBS, ANN, 3)
    assert labels(markup)[0] == "Cancel"


def test_a_job_that_can_do_nothing_leads_back_all_the_same():
    assert len(labels(keyboards.opened_job(None, ANN, 0))) == 1


def test_no_buttons_and_no_way_back_are_no_keyboard():
    assert keyboards.with_way_back(None, None) is None


def test_ids_that_cannot_come_back_whole_are_refused():
    with pytest.raises(ValueError, match="packed"):
        keyboards.offer(SongRef(str(uuid.UUID(SONG)).upper()), ANN, PRICES)
