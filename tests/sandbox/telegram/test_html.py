"""Markup to text and entities, and back; refusals in Telegram's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.entities import Entity, Formatted, checked_url, trimmed, units, with_found
from sandbox.telegram.errors import ApiError
from sandbox.telegram.html import parse_html

REFUSED = [
    ("plain < text", 'Unsupported start tag "" at byte offset 6'),
    ("€ <div>x</div>", 'Unsupported start tag "div" at byte offset 4'),
    ("x<b", "Unclosed start tag at byte offset 1"),
    ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
    ("x</b>", "Unexpected end tag at byte offset 1"),
    ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
    ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
    ("<b>x</b", "Unclosed end tag at byte offset 4"),
    ("<b>x</b  y>", "Unclosed end tag at byte offset 4"),
    ("<a =x>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
    ('<a href="x"y">z</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
    ("<a href", 'Unclosed start tag "a" at byte offset 0'),
    ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
    ('<a href="x', "Unclosed start tag at byte offset 0"),
    ("<a href=x/>y</a>", "Unexpected end of name token at byte offset 8"),
    ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ("<tg-emoji emoji-id='x'>y</tg-emoji>", "Invalid custom emoji identifier specified"),
]
PARSED = [
    ("a &lt;b&gt; &amp; &quot;c&quot;", 'a <b> & "c"', []),
    ("&laquo;x&raquo; & &#65;&#x42;", "&laquo;x&raquo; & AB", []),
    ("<b>bold</b> <i>it</i>", "bold it", [("bold", 0, 4), ("italic", 5, 2)]),
    ("<strong>x</strong><em>y</em>", "xy", [("bold", 0, 1), ("italic", 1, 1)]),
    ("🎵<b>🎵x</b>", "🎵🎵x", [("bold", 2, 3)]),
    ("<B>x</B>", "x", [("bold", 0, 1)]),
    ("<b>x</>", "x", [("bold", 0, 1)]),
    ("<b></b>x", "x", []),
    ("<i><b>x</b>y</i>", "xy", [("italic", 0, 2), ("bold", 0, 1)]),
    (
        "<u>a</u><s>b</s><tg-spoiler>c</tg-spoiler>",
        "abc",
        [("underline", 0, 1), ("strikethrough", 1, 1), ("spoiler", 2, 1)],
    ),
    ('<span class="tg-spoiler">c</span>', "c", [("spoiler", 0, 1)]),
    ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
    ("<code>x</code><pre>y</pre>", "xy", [("code", 0, 1), ("pre", 1, 1)]),
]


@pytest.mark.parametrize(("markup", "reason"), REFUSED)
def test_bad_markup_is_refused_with_its_place(markup, reason):
    with pytest.raises(ApiError) as refused:
        parse_html(markup)
    assert refused.value.description == f"Bad Request: can't parse entities: {reason}"


@pytest.mark.parametrize(("markup", "text", "entities"), PARSED)
def test_markup_becomes_text_and_entities(markup, text, entities):
    formatted = parse_html(markup)
    assert formatted.text == text
    assert [(e.type, e.offset, e.length) for e in formatted.entities] == entities


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ApiError, match="invalid Unicode characters after decoding HTML entities"):
        parse_html("&#xDFDF;")


@pytest.mark.parametrize(
    ("markup", "url"),
    [
        ('<a href="https://suno.com/a?b=1&amp;c=2">x</a>', "https://suno.com/a?b=1&c=2"),
        ("<a href='suno.com'>x</a>", "http://suno.com/"),
        ("<a>https://suno.com/x</a>", "https://suno.com/x"),
    ],
)
def test_a_link_keeps_its_address(markup, url):
    assert [entity.url for entity in parse_html(markup).entities] == [url]


def test_a_link_without_a_real_host_is_only_text():
    assert parse_html('<a href="http://localhost:8080/x">here</a>') == Formatted("here")


def test_code_with_a_language_is_one_pre():
    formatted = parse_html('<pre><code class="language-python">x</code></pre>')
    assert formatted.entities == (Entity("pre", 0, 1, language="python"),)
    assert formatted.html == '<pre><code class="language-python">x</code></pre>'


@pytest.mark.parametrize(
    "markup", [markup for markup, _, _ in PARSED] + ['<a href="https://a.io/">x &lt;</a>']
)
def test_html_of_a_text_parses_to_the_same_text(markup):
    formatted = parse_html(markup)
    assert parse_html(formatted.html) == formatted


def parsed_or_refused(markup):
    try:
        return parse_html(markup)
    except ApiError as error:
        return error


@given(st.text(alphabet="<>/ab=\"'& é🎵\n", max_size=40))
def test_any_markup_either_parses_or_is_refused(markup):
    match parsed_or_refused(markup):
        case ApiError(code=code):
            assert code == 400
        case Formatted(text=text, entities=entities):
            assert all(e.offset >= 0 and e.end <= units(text) for e in entities)


def test_white_space_at_the_ends_goes_and_entities_follow():
    formatted = trimmed(parse_html("  <b> x </b>  "))
    assert formatted.text == "x"
    assert formatted.entities == (Entity("bold", 0, 1),)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/stems https://suno.com/song/1.", [("bot_command", 0, 6), ("url", 7, 23)]),
        ("🎵 /stems@other_bot", [("bot_command", 3, 16)]),
        ("look: suno.com/s/abc?x=1", [("url", 6, 18)]),
        ("1/2 and path/stems", []),
        ("@ann hi #tag a@b.c", [("mention", 0, 4), ("hashtag", 8, 4)]),
        ("v1.2 e.g. this", []),
    ],
)
def test_telegram_marks_commands_links_and_mentions_by_itself(text, found):
    marked = with_found(Formatted(text))
    assert [(e.type, e.offset, e.length) for e in marked.entities] == found


def test_nothing_is_marked_inside_of_code():
    assert [e.type for e in with_found(parse_html("<code>/stems x</code> /help")).entities] == [
        "code",
        "bot_command",
    ]


@pytest.mark.parametrize(
    "url", ["", "http://localhost", "ftp://a.io", "http://a b.io", "http://[", "javascript:x"]
)
def test_bad_links_are_no_links(url):
    assert checked_url(url) is None
