import pytest

from providers.base import Failed, Running, StemLink, Succeeded
from providers.clips import Clip, progress_of


def clip(name, status="complete", link="https://cdn1.suno.ai/{}.mp3", **more):
    return Clip(None, status, f"Paper Lanterns ({name})", link=link and link.format(name), **more)


def file(name, number):
    return f"https://f.example/{name}{number}.mp3"


def test_finished_clips_are_stems_in_their_order_with_the_songs_title():
    assert progress_of([clip("Instrumental"), clip("Vocals", duration_s=198.4)]) == Succeeded(
        (
            StemLink("vocals", "https://cdn1.suno.ai/Vocals.mp3", 198.4),
            StemLink("instrumental", "https://cdn1.suno.ai/Instrumental.mp3"),
        ),
        "Paper Lanterns",
    )


def test_the_songs_cover_is_that_of_the_first_stem_that_shows_one():
    cover = "https://cdn2.suno.ai/image_5f0c.jpeg"
    assert progress_of([clip("Vocals"), clip("Drums", cover_url=cover)]).cover_url == cover
    assert progress_of([clip("Vocals")]).cover_url is None


STREAM = "https://audiopipe.suno.ai/?item_id=d41c"
USELESS = "https://cdn1.suno.ai/None.mp3"


@pytest.mark.parametrize(
    "waiting",
    [
        pytest.param(clip("Vocals", "submitted", None), id="submitted"),
        pytest.param(clip("Vocals", "queued", None), id="queued"),
        pytest.param(clip("Vocals", "running", STREAM), id="running"),
        pytest.param(clip("Vocals", "streaming"), id="streaming, whatever its link"),
        pytest.param(clip("Vocals", "complete", STREAM), id="complete, still with the stream"),
        pytest.param(clip("Vocals", "complete", USELESS), id="complete, with a link to nothing"),
        pytest.param(clip("Vocals", "succeeded", STREAM), id="succeeded, still with the stream"),
        pytest.param(clip("Vocals", "WARMING_UP"), id="a word nobody documented"),
        pytest.param(clip("Vocals", ""), id="no word"),
    ],
)
def test_one_clip_that_waits_makes_all_wait(waiting):
    progress = progress_of([waiting, clip("Instrumental")])
    assert isinstance(progress, Running)
    assert [stem.name for stem in progress.so_far.stems] == ["instrumental"]


@pytest.mark.parametrize("word", ["error", "failed", "FAILED", "moderation_error"])
def test_a_failed_clip_is_left_out(word):
    found = progress_of([clip("Vocals", word, None, error="too short"), clip("Instrumental", "succeeded")])
    assert [stem.name for stem in found.stems] == ["instrumental"]


def test_only_when_all_failed_the_separation_did():
    failed = clip("Vocals", "failed", None, error="see https://a.example/?key=1")
    assert progress_of([failed, clip("Drums", "error", None)]) == Failed("see (link)")
    assert progress_of([clip("Vocals", "complete", None)]) == Failed("no stems came back")


def test_no_clips_are_not_ready():
    assert progress_of([]) == Running()


def test_equal_names_are_sets_and_equal_links_are_one():
    names = ["Vocals", "Drums", "Bass"]
    clips = [clip(name, link=file(name, number)) for number in (1, 2) for name in names]
    found = progress_of([*clips, clips[0]])
    assert [(stem.name, stem.set_number) for stem in found.stems] == [
        ("vocals", 1), ("drums", 1), ("bass", 1), ("vocals", 2), ("drums", 2), ("bass", 2),
    ]  # fmt: skip
    assert found.stems[3].url == file("Vocals", 2)


@pytest.mark.parametrize(
    ("title", "kind", "name"),
    [
        ("Paper Lanterns (Vocals)", None, "vocals"),
        ("Paper Lanterns (Live) (Backing Vocals)", None, "backing_vocals"),
        ("Paper Lanterns [FX]", None, "fx"),
        ("Paper Lanterns (Kazoo)", None, "Kazoo"),
        ("Paper Lanterns (Live)", "drums", "drums"),
        ("Paper Lanterns (Drums)", "twelve", "drums"),
        ("Paper Lanterns", "Lead Vocal", "vocals"),
        ("Paper Lanterns (Live)", "kazoo", "Live"),
        ("Paper Lanterns", None, "Stem 1"),
        ("", None, "Stem 1"),
        (")(", None, "Stem 1"),
    ],
)
def test_a_name_is_the_last_bracket_or_the_kind_or_a_number(title, kind, name):
    found = progress_of([Clip(None, "succeeded", title, kind, "https://f.example/a.mp3")])
    assert [stem.name for stem in found.stems] == [name]


def test_numbers_for_names_keep_their_order():
    clips = [Clip(None, "succeeded", link=f"https://f.example/{number}.mp3") for number in range(1, 13)]
    assert [stem.name for stem in progress_of(clips).stems] == [
        f"Stem {number:02}" for number in range(1, 13)
    ]
