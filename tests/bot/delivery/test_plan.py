import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery import plan
from bot.delivery.plan import Means, Part, PlanStem
from providers.stems import Stem, rank

MB = 1_000_000


@pytest.mark.parametrize(
    ("count", "albums"),
    [
        (0, []),
        (1, [1]),
        (2, [2]),
        (10, [10]),
        (11, [6, 5]),
        (12, [6, 6]),
        (13, [7, 6]),
        (20, [10, 10]),
        (21, [7, 7, 7]),
        (24, [8, 8, 8]),
    ],
)
def test_albums_are_few_and_near_equal(count, albums):
    assert plan.halves(count) == albums


def sizes(parts):
    return [len(part.stems) for part in parts]


def test_two_stems_are_one_album_and_one_stem_stands_alone():
    vocals, instrumental = PlanStem("vocals"), PlanStem("instrumental")
    assert plan.plan([instrumental, vocals]) == (Part(Means.AUDIO, (vocals, instrumental)),)
    assert plan.plan([vocals]) == (Part(Means.AUDIO, (vocals,)),)
    assert plan.plan([]) == ()


def test_a_full_set_comes_in_two_halves_in_the_order_of_the_stems():
    parts = plan.plan([PlanStem(stem.value) for stem in reversed(list(Stem)[:12])])
    assert sizes(parts) == [6, 6]
    assert [stem.name for part in parts for stem in part.stems] == list(Stem)[:12]


def test_of_two_sets_the_first_comes_whole_before_the_second():
    both = [PlanStem(name, number) for name in ("drums", "kazoo", "vocals") for number in (2, 1)]
    (part,) = plan.plan(both)
    assert [(stem.set_number, stem.name) for stem in part.stems] == [
        *((1, name) for name in ("vocals", "drums", "kazoo")),
        *((2, name) for name in ("vocals", "drums", "kazoo")),
    ]


def test_large_files_go_in_more_and_smaller_albums():
    parts = plan.plan([PlanStem(stem.value, size_bytes=12 * MB) for stem in list(Stem)[:12]])
    assert sizes(parts) == [4, 4, 4]


def test_sound_files_for_the_player_and_documents_do_not_mix():
    stems = [
        PlanStem("vocals", kind="wav"),
        PlanStem("drums"),
        PlanStem("bass", kind="flac"),
        PlanStem("fx", kind="m4a"),
    ]
    parts = plan.plan(stems)
    assert [(part.means, [stem.name for stem in part.stems]) for part in parts] == [
        (Means.AUDIO, ["drums", "fx"]),
        (Means.DOCUMENT, ["vocals", "bass"]),
    ]


def test_a_file_that_is_too_big_is_flagged_and_keeps_the_others_together():
    big, small = PlanStem("vocals", size_bytes=49 * MB), PlanStem("drums", size_bytes=49 * MB - 1)
    parts = plan.plan([big, small])
    assert [(part.stems, part.too_big) for part in parts] == [((small,), False), ((big,), True)]


def test_a_server_of_ones_own_takes_more():
    stems = [PlanStem(name, size_bytes=90 * MB) for name in ("vocals", "drums", "bass")]
    assert sizes(plan.plan(stems, plan.LOCAL_UPLOAD_MAX_BYTES)) == [3]


STEMS = st.lists(
    st.builds(
        PlanStem,
        st.sampled_from([*(stem.value for stem in Stem), "Kazoo", "Harp"]),
        st.integers(1, 3),
        st.none() | st.integers(0, 60 * MB),
        st.sampled_from(["mp3", "wav", "m4a"]),
    ),
    max_size=40,
)


@given(STEMS)
def test_every_stem_is_planned_once_within_every_limit(stems):
    parts = plan.plan(stems)
    planned = [stem for part in parts for stem in part.stems]
    assert sorted(planned, key=repr) == sorted(stems, key=repr)
    for part in parts:
        assert {plan.means_of(stem) for stem in part.stems} == {part.means}
        assert list(part.stems) == sorted(part.stems, key=lambda stem: (stem.set_number, rank(stem.name)))
        if not part.too_big:
            assert len(part.stems) <= 10
            assert sum(stem.size_bytes or 0 for stem in part.stems) < 49 * MB


@given(st.integers(0, 500))
def test_album_sizes_differ_by_at_most_one(count):
    albums = plan.halves(count)
    assert sum(albums) == count
    assert not albums or max(albums) - min(albums) <= 1
    assert all(album <= 10 for album in albums)


def test_titles_name_song_stem_and_set():
    assert plan.title_of("Paper Boats", "backing_vocals") == "Paper Boats (Backing Vocals)"
    assert plan.title_of("Paper Boats", "drums", 2) == "Paper Boats (Drums 2)"
    assert plan.title_of("Paper Boats", "Kazoo Solo") == "Paper Boats (Kazoo Solo)"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Paper Boats", "Paper Boats"),
        ("  Paper\n\tBoats\u202e ", "Paper Boats"),
        ("x" * 200, "x" * 100),
        (None, "Song 3c4f2b1a"),
        ("", "Song 3c4f2b1a"),
        ("\u200e \x00", "Song 3c4f2b1a"),
    ],
)
def test_a_song_has_a_readable_name(title, name):
    assert plan.song_name(title, "3c4f2b1a-9d8e-4f70-a1b2-c3d4e5f60718") == name


@pytest.mark.parametrize(
    ("title", "file_name"),
    [
        ("Paper Boats", "Paper Boats (FX).mp3"),
        ("AC/DC: Live?", "AC-DC - Live_ (FX).mp3"),
        ('Say "Hi" <now> | a\\b*', "Say 'Hi' _now_ - a-b_ (FX).mp3"),
        ("...hidden", "hidden (FX).mp3"),
        (". .", "Song (FX).mp3"),
        ("", "Song (FX).mp3"),
        ("Cafe\u0301", "Café (FX).mp3"),
        ("evil\u202e3pm.exe", "evil3pm.exe (FX).mp3"),
        ("👩\u200d🚀 up", "👩\u200d🚀 up (FX).mp3"),
        ("Лодочки", "Лодочки (FX).mp3"),
    ],
)
def test_a_file_name_is_the_title_as_far_as_phones_allow(title, file_name):
    assert plan.file_name_of(title, "fx") == file_name


def test_a_long_title_is_cut_and_the_stem_stays():
    name = plan.file_name_of("Я" * 300, "backing_vocals", 2, kind="wav")
    assert name.endswith("Я (Backing Vocals 2).wav")
    assert 118 <= len(name.encode()) <= 120


@given(st.text(), st.text(max_size=80), st.integers(1, 9))
def test_any_title_and_stem_make_a_safe_file_name(title, stem, set_number):
    name = plan.file_name_of(title, stem, set_number)
    assert 0 < len(name.encode()) <= 120
    assert name.endswith(").mp3")
    assert not name.startswith((".", " "))
    assert not set(name) & set('/\\:*?"<>|\n\r\x00')
    assert all(unicodedata.category(character) not in {"Cc", "Cs"} for character in name)
    assert unicodedata.is_normalized("NFC", name)


@given(st.text(), st.uuids().map(str))
def test_any_title_makes_a_name_on_one_line(title, audio_id):
    name = plan.song_name(title, audio_id)
    assert name
    assert len(name.splitlines()) == 1
    assert len(name) <= 100
