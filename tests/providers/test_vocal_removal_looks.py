import pytest

from providers import apikley, kie, sunoapi_org
from providers.base import Failed, Running, StemLink, Succeeded
from providers.errors import (
    SongUnknown,
    TaskUnknown,
)
from providers.http import Reply
from providers.stems import Stem
from providers.vocal_removal_answers import (
    parse_record,
    parse_songs,
)

TASK = "b93d7a4415e04f0cb7d2c8f6130a5e72"
LINK = "https://f.example/a1_Vocals.mp3"
FULL = [stem.value for stem in Stem if stem not in (Stem.INSTRUMENTAL, Stem.PIANO)]


def body(code, data=None, msg="made up", status=200):
    return Reply(status, {"code": code, "msg": msg, "data": data})


def record(flag="PENDING", response=None, **more):
    return body(200, {"taskId": TASK, "successFlag": flag, "response": response, **more})


def names(progress):
    return [stem.name for stem in progress.stems]


def test_a_pending_record_runs(sample):
    assert parse_record(sample("sunoapi_org/pending"), sunoapi_org.CODES) == Running()


def test_the_documented_basic_example(sample):
    found = parse_record(sample("apikley/basic_succeeded"), apikley.CODES)
    folder = "https://file.aiquickdraw.com/s"
    assert found == Succeeded(
        (
            StemLink("vocals", f"{folder}/3d7021c9-fa8b-4eda-91d1-3b9297ddb172_Vocals.mp3"),
            StemLink("instrumental", f"{folder}/d92a13bf-c6f4-4ade-bb47-f69738435528_Instrumental.mp3"),
        )
    )


def test_the_documented_full_example(sample):
    assert names(parse_record(sample("apikley/full_succeeded"), apikley.CODES)) == FULL


def test_what_origin_data_repeats_is_one_stem(sample):
    found = parse_record(sample("kie/full_succeeded"), kie.CODES)
    missing = ("strings", "brass", "woodwinds")
    assert names(found) == [name for name in FULL if name not in missing]
    drums = StemLink("drums", "https://f.example/b3_Drums.mp3", duration_s=245.6)
    assert found.stems[2] == drums


def test_a_failure_says_why(sample):
    why = "Internal Error, please try again later"
    assert parse_record(sample("sunoapi_org/failed"), sunoapi_org.CODES) == Failed(why)


def test_files_beat_flags(sample):
    assert names(parse_record(sample("sunoapi_org/callback_exception"), sunoapi_org.CODES)) == [
        "vocals",
        "instrumental",
    ]
    for flag in ("PENDING", "GENERATE_AUDIO_FAILED", "CREATE_TASK_FAILED", "WHATEVER", None):
        assert names(parse_record(record(flag, {"vocalUrl": LINK}), kie.CODES)) == ["vocals"]


NOTHING = Failed("no stems came back")


@pytest.mark.parametrize(
    ("flag", "progress"),
    [
        ("PENDING", Running()),
        ("TEXT_SUCCESS", Running()),
        ("WARMING_UP", Running()),
        (None, Running()),
        ("", Running()),
        (0, Running()),
        (True, Running()),
        ([], Running()),
        ("CALLBACK_EXCEPTION", Running()),
        ("SUCCESS", NOTHING),
        ("success", NOTHING),
        (1, NOTHING),
        (2, NOTHING),
        ("3", NOTHING),
        ("CREATE_TASK_FAILED", NOTHING),
        ("GENERATE_AUDIO_FAILED", NOTHING),
        ("SENSITIVE_WORD_ERROR", NOTHING),
        ("fail", NOTHING),
    ],
    ids=repr,
)
def test_a_flag_without_one_link(flag, progress):
    assert parse_record(record(flag), kie.CODES) == progress
    empty = {
        "vocalUrl": "",
        "instrumentalUrl": None,
        "drumsUrl": "null",
        "originUrl": LINK,
        "originData": [],
    }
    assert parse_record(record(flag, empty), kie.CODES) == progress


@pytest.mark.parametrize(
    ("more", "progress"),
    [
        ({"errorCode": 0, "errorMessage": ""}, Running()),
        ({"errorCode": 200}, Running()),
        ({"errorCode": 500}, NOTHING),
        ({"errorMessage": "timeout"}, Failed("timeout")),
    ],
    ids=repr,
)
def test_a_failed_callback_without_links_is_final_only_with_an_error(more, progress):
    assert parse_record(record("CALLBACK_EXCEPTION", **more), kie.CODES) == progress


def test_a_failure_does_not_quote_links():
    why = "Failed to fetch https://api.telegram.org/file/bot1234567:SECRET/music/file_1.mp3"
    failed = parse_record(record("GENERATE_AUDIO_FAILED", errorMessage=why), kie.CODES)
    assert failed == Failed("Failed to fetch (link)")


@pytest.mark.parametrize("data", [None, [], {}, "text", [[]], [{"response": []}]], ids=repr)
def test_a_look_that_shows_nothing_runs(data):
    assert parse_record(body(200, data), kie.CODES) == Running()


def test_a_record_may_come_in_a_list():
    answer = body("200", [{"successFlag": "SUCCESS", "response": [{"vocalUrl": LINK}]}])
    assert names(parse_record(answer, kie.CODES)) == ["vocals"]


def test_a_record_that_is_null_is_a_task_not_known_yet():
    with pytest.raises(TaskUnknown):
        parse_record(body(422, msg="recordInfo is null"), kie.CODES)
    with pytest.raises(SongUnknown):
        parse_songs(body(422, msg="recordInfo is null"), kie.CODES, TASK)
