import httpx
import pytest

from providers import apikley, kie, sunoapi_org
from providers.base import Failed
from providers.errors import (
    Misconfigured,
    NoCredits,
    OutcomeUnknown,
    Rejected,
    SongUnknown,
    TaskUnknown,
    TooFast,
    Unavailable,
)
from providers.http import Reply
from providers.vocal_removal_answers import (
    parse_credits,
    parse_record,
    parse_submitted,
    said_with_429,
)

TASK = "b93d7a4415e04f0cb7d2c8f6130a5e72"

# On a submit, on a look: https://docs.sunoapi.org, https://docs.kie.ai. Spelled out once more, so that a
# slip in a table is seen.
SHARED = {
    401: (Misconfigured, Misconfigured),
    402: (NoCredits, NoCredits),
    404: (Misconfigured, TaskUnknown),
    408: (OutcomeUnknown, Failed),
    409: (Rejected, Unavailable),
    413: (Rejected, Failed),
    422: (SongUnknown, Failed),
    433: (Misconfigured, Unavailable),
    451: (SongUnknown, Failed),
    455: (Unavailable, Unavailable),
    500: (OutcomeUnknown, Unavailable),
    501: (Rejected, Failed),
    505: (Misconfigured, Unavailable),
    531: (Rejected, Failed),
}
SUNOAPI_ORG = SHARED | {
    400: (SongUnknown, Failed),
    405: (TooFast, TooFast),
    429: (NoCredits, TooFast),
    430: (TooFast, TooFast),
}
KIE = SHARED | {400: (Rejected, Failed), 429: (TooFast, TooFast)}
UNDOCUMENTED = dict.fromkeys((0, -1, 201, 299, 403, 599, 9999), (OutcomeUnknown, Unavailable))

BRANDS = [(sunoapi_org.BRAND, SUNOAPI_ORG), (kie.BRAND, KIE), (apikley.BRAND, KIE)]
ROWS = [
    pytest.param(brand.codes, code, *row, id=f"{brand.name} {code}")
    for brand, table in BRANDS
    for code, row in (table | UNDOCUMENTED).items()
]


def body(code, data=None, msg="made up", status=200):
    return Reply(status, {"code": code, "msg": msg, "data": data})


@pytest.mark.parametrize(("brand", "table"), BRANDS, ids=lambda value: getattr(value, "name", ""))
def test_no_row_of_a_table_goes_untested(brand, table):
    assert dict(brand.codes) == table


@pytest.mark.parametrize(("codes", "code", "on_submit", "on_look"), ROWS)
@pytest.mark.parametrize("spelled", [int, str])
def test_a_code_on_a_submit(codes, code, on_submit, on_look, spelled):
    with pytest.raises(on_submit) as caught:
        parse_submitted(body(spelled(code)), codes)
    assert type(caught.value) is on_submit
    assert str(caught.value) == f"made up (code {code})"


@pytest.mark.parametrize(("codes", "code", "on_submit", "on_look"), ROWS)
def test_a_code_on_a_look(codes, code, on_submit, on_look):
    if on_look is Failed:
        assert parse_record(body(code), codes) == Failed(f"made up (code {code})")
        return
    with pytest.raises(on_look) as caught:
        parse_record(body(code), codes)
    assert type(caught.value) is on_look


# What a reply without a code of the API means: a CDN's page, a proxy's, a framework's.
STRANGE = [
    pytest.param(200, OutcomeUnknown, Unavailable, id="a broken body"),
    pytest.param(302, Misconfigured, Unavailable, id="a redirect"),
    pytest.param(400, Misconfigured, Unavailable, id="400"),
    pytest.param(403, Misconfigured, Unavailable, id="blocked"),
    pytest.param(404, Misconfigured, Unavailable, id="a wrong path"),
    pytest.param(405, Misconfigured, Unavailable, id="a wrong method"),
    pytest.param(408, OutcomeUnknown, Unavailable, id="timed out"),
    pytest.param(429, TooFast, TooFast, id="too fast"),
    pytest.param(500, OutcomeUnknown, Unavailable, id="500"),
    pytest.param(502, OutcomeUnknown, Unavailable, id="502"),
    pytest.param(521, OutcomeUnknown, Unavailable, id="521"),
]


@pytest.mark.parametrize(("status", "on_submit", "on_look"), STRANGE)
@pytest.mark.parametrize("brand", [sunoapi_org.BRAND, kie.BRAND], ids=lambda brand: brand.name)
def test_an_answer_without_json(brand, status, on_submit, on_look):
    reply = Reply(status, None, "<html>")
    for parse, kind in ((parse_submitted, on_submit), (parse_record, on_look)):
        with pytest.raises(kind) as caught:
            parse(reply, brand.codes)
        assert type(caught.value) is kind


def test_a_cdn_block_is_named():
    with pytest.raises(Misconfigured, match=r"CDN .* \(HTTP 403, error code: 1010\)"):
        parse_submitted(Reply(403, None, "error code: 1010"), kie.CODES)
    with pytest.raises(Misconfigured, match="CDN"):
        parse_credits(Reply(403, None, "<html>"), kie.CODES)


def test_json_without_a_code_goes_by_the_http_status():
    with pytest.raises(Misconfigured, match=r"Forbidden \(HTTP 403\)"):
        parse_submitted(Reply(403, {"message": "Forbidden"}), kie.CODES)
    assert parse_submitted(Reply(200, {"data": {"taskId": TASK}}), kie.CODES) == TASK


def test_the_code_wins_over_the_http_status():
    with pytest.raises(NoCredits):
        parse_submitted(body(402, status=500), kie.CODES)
    assert parse_submitted(body(200, {"taskId": TASK}, status=500), kie.CODES) == TASK


def test_405_is_a_rate_as_a_code_but_a_wrong_address_as_a_status():
    with pytest.raises(TooFast):
        parse_submitted(body(405), sunoapi_org.CODES)
    with pytest.raises(Misconfigured):
        parse_submitted(body(405, status=405), sunoapi_org.CODES)


@pytest.mark.parametrize(
    ("name", "task_id"),
    [("sunoapi_org/submitted", "5c79****be8e"), ("kie/submitted", TASK)],
)
def test_a_submit_is_accepted(sample, name, task_id):
    assert parse_submitted(sample(name), kie.CODES) == task_id


@pytest.mark.parametrize(
    "data", [{"task_id": TASK}, [{"taskId": TASK}], {"taskId": None, "task_id": TASK}], ids=repr
)
def test_other_spellings_of_an_accepted_submit(data):
    assert parse_submitted(body("200", data), kie.CODES) == TASK


@pytest.mark.parametrize("data", [None, {}, [], "", TASK, {"taskId": ""}, {"taskId": None}, [None]], ids=repr)
def test_accepted_without_a_task_id_may_be_charged(data):
    with pytest.raises(OutcomeUnknown, match="names no task"):
        parse_submitted(body(200, data), kie.CODES)


def test_exists_already_is_good_news_if_it_names_the_task():
    assert parse_submitted(body(409, {"taskId": TASK}), kie.CODES) == TASK


def test_no_credits_in_its_own_words(sample):
    with pytest.raises(NoCredits) as caught:
        parse_submitted(sample("kie/no_credits"), kie.CODES)
    words = "Credits insufficient: the balance isn't enough, top up to continue (code 402)"
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("msg", "means"),
    [
        ("The current credits are insufficient. Please top up.", NoCredits),
        ("Balance isn't enough", NoCredits),
        ("Your call frequency is too high.", TooFast),
        ("Too many requests", TooFast),
        ("Rate limit exceeded", TooFast),
        ("Credit limit reached", None),
        ("made up", None),
        ("", None),
        (None, None),
    ],
    ids=repr,
)
def test_a_429_means_what_its_text_says(msg, means):
    assert said_with_429(body(429, msg=msg)) is means
    for codes in (sunoapi_org.CODES, kie.CODES):
        with pytest.raises(means or codes[429][0]) as caught:
            parse_submitted(body(429, msg=msg), codes)
        assert type(caught.value) is (means or codes[429][0])


def test_too_fast_brings_the_wait_that_was_asked_for():
    reply = Reply(200, {"code": 430, "msg": "frequency"}, headers=httpx.Headers({"Retry-After": "9"}))
    with pytest.raises(TooFast) as caught:
        parse_submitted(reply, sunoapi_org.CODES)
    assert caught.value.wait_s == 9
