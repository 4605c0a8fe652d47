import pytest

from providers.base import StemLink
from providers.vocal_removal_answers import (
    stems_in,
)

LINK = "https://f.example/a1_Vocals.mp3"
OTHER = "https://f.example/a2_Instrumental.mp3"


def test_stems_in_a_callbacks_spelling(sample):
    info = sample("kie/callback_full").json["data"]["vocal_separation_info"]
    assert [stem.name for stem in stems_in(info)] == ["vocals", "backing_vocals", "drums"]


@pytest.mark.parametrize(
    ("response", "found"),
    [
        ({"kazooSoloUrl": LINK}, [StemLink("Kazoo Solo", LINK)]),
        ({"kazoo_solo_url": LINK}, [StemLink("Kazoo Solo", LINK)]),
        (
            {
                "originUrl": LINK,
                "callbackUrl": LINK,
                "callBackUrl": LINK,
                "origin_url": LINK,
                "id": LINK,
            },
            [],
        ),
        (
            {"vocalUrl": "https://f.example/a Drum Kit.mp3"},
            [StemLink("vocals", "https://f.example/a%20Drum%20Kit.mp3")],
        ),
        ({"vocalUrl": "ftp://f.example/a.mp3", "drumsUrl": 7, "bassUrl": [LINK]}, []),
        (
            {"instrumentalUrl": OTHER, "vocalUrl": LINK},
            [StemLink("vocals", LINK), StemLink("instrumental", OTHER)],
        ),
        ({"vocalUrl": LINK, "vocal_url": OTHER}, [StemLink("vocals", LINK)]),
        (None, []),
        ("", []),
        ([], []),
    ],
    ids=repr,
)
def test_stems_by_field(response, found):
    assert list(stems_in(response)) == found


DRUM_KIT = {
    "audio_url": "https://f.example/d.mp3",
    "stem_type_group_name": "Drum Kit",
    "id": "d",
    "duration": 3,
}
DRUMS = StemLink("drums", "https://f.example/d.mp3", 3.0)


@pytest.mark.parametrize(
    ("response", "found"),
    [
        ({"originData": [DRUM_KIT]}, [DRUMS]),
        ({"origin_data": [DRUM_KIT]}, [DRUMS]),
        ({"originData": [{"extract": DRUM_KIT, "remove": {"audio_url": OTHER}}]}, [DRUMS]),
        ({"originData": [DRUM_KIT], "originUrl": "https://f.example/d.mp3"}, []),
        ({"originData": [DRUM_KIT | {"id": "a1"}], "vocalUrl": LINK}, [StemLink("vocals", LINK)]),
        (
            {"originData": [DRUM_KIT | {"audio_url": LINK, "id": None}], "vocalUrl": LINK},
            [StemLink("vocals", LINK)],
        ),
        ({"originData": [DRUM_KIT | {"audio_url": ""}]}, []),
        ({"originData": "text"}, []),
        ({"originData": [None, 3, "x"]}, []),
    ],
    ids=[
        "snake case is read below",
        "snake case",
        "advanced",
        "the source",
        "same id",
        "same link",
        "no link",
        "text",
        "odd",
    ],
)
def test_stems_of_origin_data(response, found):
    assert list(stems_in(response)) == found
