"""Audio and documents by upload, file_id and URL, and back."""

import pytest

from sandbox.telegram import Limits

MP3 = ("vocals.mp3", b"ID3 not really music", "audio/mpeg")
ANY_ID = "CQACAgIAAxkBAAIBB2VvbGQtYW5kLWZvcmVpZ24"


async def test_an_uploaded_audio_keeps_what_was_said_about_it(telegram, bot, ann, song):
    sent = await bot.call(
        "sendAudio",
        {"audio": ("Paper Boats (Vocals).mp3", song, "audio/mpeg")},
        chat_id=ann.user_id,
        title="Paper Boats (Vocals)",
        performer="Stembot",
        duration=190,
        caption="<i>done</i>",
        parse_mode="HTML",
    )
    shown = telegram.messages(ann)[-1]
    assert shown.audio is not None
    assert (shown.audio.title, shown.audio.performer, shown.audio.duration) == (
        "Paper Boats (Vocals)",
        "Stembot",
        190,
    )
    assert (shown.audio.file_name, shown.audio.mime_type) == ("Paper Boats (Vocals).mp3", "audio/mpeg")
    assert shown.audio.file_size == len(song)
    assert (shown.caption, shown.html, shown.text) == ("done", "<i>done</i>", None)
    assert sent["audio"]["file_id"] == shown.audio.file_id
    assert telegram.bytes_of(shown.audio.file_id) == song


async def test_what_is_not_said_is_read_from_the_file(bot, ann, song):
    sent = await bot.call("sendAudio", {"audio": ("x.mp3", song)}, chat_id=ann.user_id)
    assert (sent["audio"]["title"], sent["audio"]["performer"], sent["audio"]["duration"]) == (
        "Paper Boats",
        "Ann",
        2,
    )


@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.bin"])
async def test_what_the_player_cannot_play_becomes_a_document(bot, ann, name):
    sent = await bot.call("sendAudio", {"audio": (name, b"RIFF1234")}, chat_id=ann.user_id)
    assert "audio" not in sent
    assert sent["document"]["file_name"] == name


async def test_a_file_id_sends_the_same_file_under_a_new_id(telegram, bot, ann):
    first = (await bot.call("sendAudio", {"audio": MP3}, chat_id=ann.user_id, title="Vocals"))["audio"]
    again = (await bot.call("sendAudio", chat_id=ann.user_id, audio=first["file_id"], title="ignored"))[
        "audio"
    ]
    assert again["file_id"] != first["file_id"]
    assert again["file_unique_id"] == first["file_unique_id"]
    assert again["title"] == "Vocals"


REFUSED = [
    ("sendAudio", {}, {"audio": ANY_ID}, "wrong file identifier/HTTP URL specified"),
    ("sendAudio", {}, {"audio": "/etc/passwd"}, "wrong file identifier/HTTP URL specified"),
    ("sendAudio", {}, {"audio": "file:///etc/passwd"}, "wrong file identifier/HTTP URL specified"),
    ("sendAudio", {}, {"audio": "attach://missing"}, "there is no audio in the request"),
    ("sendAudio", {}, {}, "there is no audio in the request"),
    ("sendDocument", {}, {}, "there is no document in the request"),
    ("sendAudio", {"audio": ("x.mp3", b"")}, {}, "file must be non-empty"),
    ("sendAudio", {"audio": MP3}, {"caption": "x" * 1025}, "message caption is too long"),
    ("sendPhoto", {"photo": ("x.jpg", b"text")}, {}, "IMAGE_PROCESS_FAILED"),
]


@pytest.mark.parametrize(("method", "files", "parameters", "words"), REFUSED)
async def test_a_wrong_file_is_refused(telegram, bot, ann, method, files, parameters, words):
    before = telegram.messages(ann)
    refused = await bot.error(method, files or None, chat_id=ann.user_id, **parameters)
    assert refused == (400, f"Bad Request: {words}")
    assert telegram.messages(ann) == before


async def test_a_file_id_keeps_its_kind(bot, ann):
    sent = await bot.call("sendDocument", {"document": MP3}, chat_id=ann.user_id)
    file_id = sent["document"]["file_id"]
    refused = await bot.error("sendAudio", chat_id=ann.user_id, audio=file_id)
    assert refused == (400, "Bad Request: can't use file of type Document as Audio")


async def test_a_thumbnail_counts_only_as_an_upload(bot, ann):
    picture = ("t.jpg", b"\xff\xd8\xff\xe0 tiny", "image/jpeg")
    sent = await bot.call("sendAudio", {"audio": MP3, "thumbnail": picture}, chat_id=ann.user_id)
    assert "thumbnail" in sent["audio"]
    sent = await bot.call("sendAudio", {"audio": MP3}, chat_id=ann.user_id, thumbnail="https://a.io/t.jpg")
    assert "thumbnail" not in sent["audio"]


@pytest.mark.parametrize("sizes", [[2001], [1500, 600]])
async def test_too_many_bytes_are_413(make_telegram, bot_for, sizes):
    telegram = make_telegram(limits=Limits(upload_max_bytes=2000))
    ann = telegram.person("Ann")
    await ann.say("/start")
    files = {f"f{n}": (f"{n}.mp3", b"x" * size) for n, size in enumerate(sizes)}
    async with bot_for(telegram) as bot:
        refused = await bot.error("sendAudio", files, chat_id=ann.user_id, audio="attach://f0")
    assert refused == (413, "Request Entity Too Large")
    assert telegram.calls_of("sendAudio")[0].status == 413


async def test_a_body_far_too_large_is_drained_and_refused(make_telegram, serve, bot_for):
    telegram = make_telegram(limits=Limits(upload_max_bytes=100_000))
    ann = telegram.person("Ann")
    await ann.say("/start")
    async with serve(telegram.app) as url, bot_for(telegram) as bot:
        files = {"audio": ("x.mp3", b"x" * 4_000_000)}
        response = await bot.client.post(
            f"{url}/bot{bot.token}/sendAudio", data={"chat_id": ann.user_id}, files=files
        )
        assert response.status_code == 413


async def test_a_url_is_fetched_and_loses_title_and_performer(bot, ann, host, song):
    url, _ = host
    sent = await bot.call(
        "sendAudio", chat_id=ann.user_id, audio=f"{url}/song.mp3", title="Mine", performer="Me"
    )
    assert (sent["audio"]["title"], sent["audio"]["performer"]) == ("Paper Boats", "Ann")
    assert sent["audio"]["file_size"] == len(song)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/page.mp3", "wrong type of the web page content"),
        ("/song.wav", "wrong type of the web page content"),
        ("/large.mp3", "failed to get HTTP URL content"),
        ("/gone.mp3", "failed to get HTTP URL content"),
    ],
)
async def test_a_bad_url_fails_and_stays_failed(make_telegram, bot_for, host, path, words):
    url, asked = host
    telegram = make_telegram(limits=Limits(fetch_max_bytes=25_000))
    ann = telegram.person("Ann")
    await ann.say("/start")
    async with bot_for(telegram) as bot:
        assert await bot.error("sendAudio", chat_id=ann.user_id, audio=url + path) == (
            400,
            f"Bad Request: {words}",
        )
        again = await bot.error("sendAudio", chat_id=ann.user_id, audio=url + path)
        assert again == (400, "Bad Request: wrong type of the web page content")
        assert asked == [path]
        await bot.error("sendAudio", chat_id=ann.user_id, audio=f"{url}{path}?try=2")
        assert len(asked) == 2


async def test_a_document_by_url_is_pdf_or_zip(bot, ann, host):
    url, _ = host
    sent = await bot.call("sendDocument", chat_id=ann.user_id, document=f"{url}/x.pdf")
    assert sent["document"]["mime_type"] == "application/pdf"
    refused = await bot.error("sendDocument", chat_id=ann.user_id, document=f"{url}/song.mp3")
    assert refused == (400, "Bad Request: wrong type of the web page content")


async def test_telegram_cannot_reach_this_machine_unless_allowed(make_telegram, bot_for, host):
    url, asked = host
    telegram = make_telegram(allows_loopback=False)
    ann = telegram.person("Ann")
    await ann.say("/start")
    async with bot_for(telegram) as bot:
        refused = await bot.error("sendAudio", chat_id=ann.user_id, audio=f"{url}/song.mp3")
    assert refused == (400, "Bad Request: failed to get HTTP URL content")
    assert asked == []


async def test_files_come_back_by_get_file(bot, ann, song):
    sent = await bot.call("sendAudio", {"audio": ("x.mp3", song)}, chat_id=ann.user_id)
    file = await bot.call("getFile", file_id=sent["audio"]["file_id"])
    assert file["file_path"].startswith("music/")
    response = await bot.client.get(f"/file/bot{bot.token}/{file['file_path']}")
    assert response.content == song
    missing = await bot.client.get(f"/file/bot{bot.token}/music/nothing.mp3")
    assert missing.json()["error_code"] == 404
    assert await bot.error("getFile", file_id="x") == (
        400,
        "Bad Request: wrong file identifier/HTTP URL specified",
    )


async def test_large_files_do_not_come_back(make_telegram, bot_for):
    telegram = make_telegram(limits=Limits(download_max_bytes=5))
    ann = telegram.person("Ann")
    await ann.say("/start")
    async with bot_for(telegram) as bot:
        sent = await bot.call("sendAudio", {"audio": MP3}, chat_id=ann.user_id)
        refused = await bot.error("getFile", file_id=sent["audio"]["file_id"])
    assert refused == (400, "Bad Request: file is too big")
