import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import TEXT_MAX, code_in, link_in, number_in, record_in, records_in, text_in


@pytest.mark.parametrize(
    ("value", "text"),
    [(" a ", "a"), ("", None), (" ", None), (7, "7"), (None, None), (True, None), ([], None), ({}, None),
     ("a\0b", "ab"), ("\0", None), ("a" * 5000, "a" * TEXT_MAX)],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_text(value, text):
    assert text_in(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [(240, 240.0), ("104.88", 104.88), ("", None), ("x", None), (True, None), (None, None), ("nan", None),
     (float("inf"), None), (10**400, None), ([1], None)],
    ids=repr,
)  # fmt: skip
def test_number(value, number):
    assert number_in(value) == number


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (200, 200),
        ("200", 200),
        (" 429 ", 429),
        (200.0, 200),
        (200.5, None),
        ("ok", None),
        (True, None),
        (10**9, None),
    ],
    ids=repr,
)
def test_code(value, code):
    assert code_in(value) == code


@pytest.mark.parametrize(
    ("value", "link"),
    [
        ("https://f.example/a_Vocals.mp3", "https://f.example/a_Vocals.mp3"),
        ("https://f.example/a Drum Kit.mp3?x=1#y", "https://f.example/a%20Drum%20Kit.mp3?x=1#y"),
        (" http://127.0.0.1:1/a ", "http://127.0.0.1:1/a"),
        ("HTTPS://f.example/a", "HTTPS://f.example/a"),
        ("", None),
        ("null", None),
        ("/s/a.mp3", None),
        ("//f.example/a", None),
        ("https:///a", None),
        ("ftp://f.example/a", None),
        ("file:///etc/passwd", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
        ("http://host:port/", None),
        ("https://f.example/a\nb", None),
        (7, None),
        (None, None),
        (["https://f.example/a"], None),
    ],
    ids=repr,
)
def test_link(value, link):
    assert link_in(value) == link


@given(st.text())
def test_any_text_may_come_as_a_link(text):
    link = link_in("http://" + text)
    assert link is None or " " not in link


@pytest.mark.parametrize(
    ("value", "records"),
    [({"a": 1}, [{"a": 1}]), ([{"a": 1}, None, 3, {}], [{"a": 1}, {}]), (None, []), ("x", []), ([], [])],
    ids=repr,
)
def test_records(value, records):
    assert records_in(value) == records
    assert record_in(value) == (records[0] if records else {})
