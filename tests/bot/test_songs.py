import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import songs
from bot.songs import Problem, ProblemKind, ShareRequest, SongRequest, TaskRequest
from providers.base import Mode, SongRef

SONG_ID = "3c4f2b1a-9d8e-4f70-a1b2-c3d4e5f60718"
OTHER_ID = "11111111-2222-4333-8444-555555555555"
TASK_ID = "5c79be8e4a4f4f3b8a3c2d1e0f9a8b7c"
SONG = SongRef(SONG_ID)

REFERENCES = [
    pytest.param(SONG_ID, SongRequest(SONG), id="a UUID"),
    pytest.param(SONG_ID.upper(), SongRequest(SONG), id="in capitals"),
    pytest.param(f"<{SONG_ID}>", SongRequest(SONG), id="in the angle brackets of the usage line"),
    pytest.param(f"`{SONG_ID}`.", SongRequest(SONG), id="quoted, with a full stop"),
    pytest.param(f"\u200b{SONG_ID}\ufeff", SongRequest(SONG), id="with invisible characters from a copy"),
    pytest.param(f"{TASK_ID}:{SONG_ID}", SongRequest(SongRef(SONG_ID, TASK_ID)), id="with its task"),
    pytest.param(f"{OTHER_ID}:{SONG_ID}", SongRequest(SongRef(SONG_ID, OTHER_ID)), id="with a UUID as task"),
    pytest.param(TASK_ID.upper(), TaskRequest(TASK_ID), id="a task alone"),
    pytest.param(f"https://suno.com/song/{SONG_ID}", SongRequest(SONG), id="a link"),
    pytest.param(f"https://suno.com/song/{SONG_ID}?sh=aB3&x=1#t", SongRequest(SONG), id="with a query"),
    pytest.param(f"HTTP://WWW.Suno.com/Song/{SONG_ID}/", SongRequest(SONG), id="in odd spelling"),
    pytest.param(f"suno.com/song/{SONG_ID},", SongRequest(SONG), id="without a scheme"),
    pytest.param(f"https://app.suno.ai/song/{SONG_ID}", SongRequest(SONG), id="the old site"),
    pytest.param(f"<https://suno.com/embed/{SONG_ID}>", SongRequest(SONG), id="an embedded player"),
    pytest.param(f"https://cdn1.suno.ai/{SONG_ID}.mp3", SongRequest(SONG), id="the file itself"),
    pytest.param(f"https://audiopipe.suno.ai/?item_id={SONG_ID}", SongRequest(SONG), id="a stream"),
    pytest.param("https://suno.com/s/Ab3dEf9", ShareRequest("Ab3dEf9"), id="a share link"),
    pytest.param("suno.com/s/Ab3dEf9?time=3)", ShareRequest("Ab3dEf9"), id="a share link with a query"),
]


@pytest.mark.parametrize(("text", "request_"), REFERENCES)
def test_a_reference_is_understood_alone_and_inside_a_message(text, request_):
    assert songs.parse(text) == request_
    assert songs.link_in(f"  {text}\n") == request_
    assert songs.reference_in(f"Listen to this: {text} it's great") == request_


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (f"{SONG_ID} full", Mode.FULL),
        (f"FULL {SONG_ID}", Mode.FULL),
        (f"{SONG_ID}\n basic.", Mode.BASIC),
        (f"[Full] {SONG_ID}", Mode.FULL),
        (SONG_ID, None),
    ],
)
def test_a_mode_may_stand_on_either_side(text, mode):
    assert songs.parse(text) == SongRequest(SONG, mode)


def test_tasks_and_share_links_take_a_mode_too():
    assert songs.parse(f"{TASK_ID} full") == TaskRequest(TASK_ID, Mode.FULL)
    assert songs.parse("basic suno.com/s/Ab3dEf9") == ShareRequest("Ab3dEf9", Mode.BASIC)


PROBLEMS = [
    pytest.param("", Problem(ProblemKind.EMPTY), id="nothing"),
    pytest.param(" <> \n", Problem(ProblemKind.EMPTY), id="only punctuation"),
    pytest.param("full", Problem(ProblemKind.EMPTY, mode=Mode.FULL), id="only a mode, as in a reply"),
    pytest.param("my song", Problem(ProblemKind.NOT_AN_ID, "my"), id="words"),
    pytest.param(SONG_ID[:-1], Problem(ProblemKind.NOT_AN_ID, SONG_ID[:-1]), id="an id cut short"),
    pytest.param("x" * 500, Problem(ProblemKind.NOT_AN_ID, "x" * 60), id="a long word is cut"),
    pytest.param(f"{SONG_ID} ful", Problem(ProblemKind.UNKNOWN_WORD, "ful"), id="a misspelt mode"),
    pytest.param(f"{SONG_ID} {OTHER_ID}", Problem(ProblemKind.TOO_MANY), id="two songs"),
    pytest.param(f"{SONG_ID} full basic", Problem(ProblemKind.TOO_MANY), id="both modes"),
    pytest.param(
        f"https://example.com/{SONG_ID}",
        Problem(ProblemKind.NOT_AN_ID, f"https://example.com/{SONG_ID}"[:60]),
        id="another site's link",
    ),
    pytest.param(
        f"https://suno.com/playlist/{SONG_ID}",
        Problem(ProblemKind.NOT_AN_ID, f"https://suno.com/playlist/{SONG_ID}"[:60]),
        id="a playlist is no song",
    ),
]


@pytest.mark.parametrize(("text", "problem"), PROBLEMS)
def test_what_is_no_request_says_why(text, problem):
    assert songs.parse(text) == problem


def test_the_same_song_twice_is_one_song():
    assert songs.parse(f"{SONG_ID} https://suno.com/song/{SONG_ID} full") == SongRequest(SONG, Mode.FULL)


def test_a_message_with_more_than_a_link_is_not_only_a_link():
    assert songs.link_in(f"look: https://suno.com/song/{SONG_ID}") is None
    assert songs.link_in("hello") is None
    assert songs.link_in("") is None


def test_the_first_of_several_references_counts():
    text = f"https://file.example/{OTHER_ID}_Drums.mp3 first suno.com/s/abc, then {SONG_ID}"
    assert songs.reference_in(text) == ShareRequest("abc")


def test_ids_inside_longer_words_or_foreign_links_are_no_reference():
    assert songs.reference_in(f"https://file.example/{OTHER_ID}_Drums.mp3 x{TASK_ID} {TASK_ID}0") is None


@given(st.text())
def test_no_text_raises(text):
    songs.parse(text)
    songs.link_in(text)
    songs.reference_in(text)


PIECES = st.sampled_from(
    [*"<>/:?#.-_ \n", "https://", "suno.com", "/s/", "/song/", SONG_ID, TASK_ID, "full", "é"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_found_is_in_canonical_form(text):
    found = songs.reference_in(text)
    if isinstance(found, SongRequest):
        assert songs.unpack(songs.pack(found.song)) == found.song
    elif isinstance(found, TaskRequest):
        assert re.fullmatch("[0-9a-f]{32}", found.task_id)


IDS = st.uuids().map(str)
SONGS = st.builds(SongRef, IDS, st.none() | IDS | st.uuids().map(lambda task: task.hex))


@given(SONGS)
def test_a_packed_song_comes_back_whole(song):
    packed = songs.pack(song)
    assert len(packed) <= 44
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", packed)
    assert songs.unpack(packed) == song


@given(st.text() | st.text(alphabet="AZaz09-_.=", min_size=20, max_size=46))
def test_unpacking_anything_gives_a_song_or_a_value_error(text):
    try:
        song = songs.unpack(text)
    except ValueError:
        return
    assert songs.pack(song) == text


@pytest.mark.parametrize(
    "song",
    [SongRef("not-an-id"), SongRef(uuid.UUID(SONG_ID).hex), SongRef(SONG_ID.upper()), SongRef(SONG_ID, "t1")],
)
def test_ids_that_would_not_come_back_are_refused(song):
    with pytest.raises(ValueError):
        songs.pack(song)
