import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import stems
from providers.stems import Stem


@pytest.mark.parametrize(
    ("foreign", "name"),
    [
        ("vocal", "vocals"),
        ("Lead Vocal", "vocals"),
        ("backingVocals", "backing_vocals"),
        ("Backing_Vocals", "backing_vocals"),
        ("Drum Kit", "drums"),
        ("FX", "fx"),
        ("FX/Other", "fx"),
        ("Synthesizer", "synth"),
        ("kazooSolo", "Kazoo Solo"),
        ("kazoo_solo", "Kazoo Solo"),
        ("", "Stem"),
        ("--", "Stem"),
    ],
)
def test_a_foreign_name_becomes_ours_or_readable(foreign, name):
    assert stems.name_of(foreign) == name


@given(st.text())
def test_any_name_is_readable_and_short(foreign):
    name = stems.name_of(foreign)
    assert 0 < len(name) <= 60
    assert stems.label(name)


def test_known_stems_keep_their_name_and_come_in_their_order():
    assert [stems.name_of(stem) for stem in Stem] == list(Stem)
    assert sorted([*reversed(Stem), "Kazoo"], key=stems.rank) == [*Stem, "Kazoo"]


def test_labels_are_what_people_read():
    assert [stems.label(name) for name in ("backing_vocals", "fx", "Kazoo Solo")] == [
        "Backing Vocals",
        "FX",
        "Kazoo Solo",
    ]


def test_every_stem_is_in_one_family():
    members = [stem for family in stems.FAMILIES.values() for stem in family]
    assert sorted(members) == sorted(Stem)
    assert stems.family("Kazoo") == "Other"
