import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import PROVIDERS, Settings, WrongSettings, load, typos

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_1"
MINIMUM = {"TELEGRAM_TOKEN": TOKEN, "KIE_API_KEY": "kie-key-0123456789"}


@pytest.fixture(autouse=True)
def _nothing_set():
    """The settings of whoever runs the tests are put aside."""
    before = dict(os.environ)
    for name in before:
        if name.lower() in Settings.model_fields:
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def settings_of(tmp_path):
    def settings_of(serving=True, **settings):
        env_file = tmp_path / ".env"
        env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return load(env_file, serving=serving)

    return settings_of


@pytest.fixture
def complaint_about(settings_of):
    def complaint_about(**settings):
        with pytest.raises(WrongSettings) as caught:
            settings_of(**MINIMUM | settings)
        return str(caught.value)

    return complaint_about


def test_a_token_and_one_key_are_enough(settings_of):
    settings = settings_of(**MINIMUM)
    assert settings.telegram_token.get_secret_value() == TOKEN
    assert [provider.name for provider in settings.providers_in_use()] == ["kie"]


def test_what_is_not_set_has_the_default_of_the_table():
    settings = Settings()
    assert settings.telegram_api_url == "https://api.telegram.org"
    assert settings.database_url.get_secret_value() == "sqlite:///stembot.db"
    assert (settings.look_first_seconds, settings.look_every_seconds) == (15, 10)
    assert settings.job_deadline_seconds == 1800
    assert (settings.repeat_price, settings.signup_credits) == (0, 100)
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8080)
    assert (settings.log_level, settings.log_format) == ("INFO", "text")
    assert settings.admins == settings.allowed_users == settings.allowed_chats == frozenset()
    assert (settings.telegram_webhook, settings.allow_private_file_hosts) == (False, False)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_upstream_costs_10_and_50_unless_told_otherwise(provider):
    assert [Settings().price(provider, mode) for mode in ("basic", "full")] == [10, 50]


def test_the_environment_wins_over_the_file(settings_of):
    os.environ["HTTP_PORT"] = "9999"
    assert settings_of(**MINIMUM, HTTP_PORT="1111").http_port == 9999


def test_an_empty_value_is_not_set(settings_of):
    os.environ["LOG_LEVEL"] = ""
    settings = settings_of(
        **MINIMUM, HTTP_PORT="", ADMINS="", PUBLIC_URL='"  "', SUNO_API_URL="", LOG_LEVEL="ERROR"
    )
    assert settings.http_port == 8080
    assert settings.admins == frozenset()
    assert settings.public_url is None
    assert settings.log_level == "ERROR"


@pytest.mark.parametrize(
    ("setting", "advised_s", "every_s"),
    [
        ({}, 30, 30),
        ({}, 5, 10),
        ({"LOOK_EVERY_SECONDS": "0.5"}, 30, 0.5),
        ({"LOOK_EVERY_SECONDS": ""}, 30, 30),
    ],
)
def test_looks_come_as_seldom_as_an_upstream_advises_unless_told_otherwise(
    settings_of, setting, advised_s, every_s
):
    assert settings_of(**MINIMUM, **setting).look_every_s(advised_s) == every_s


def test_keywords_make_settings_without_looking_at_the_environment():
    os.environ["HTTP_PORT"] = "9999"
    assert Settings(telegram_token=TOKEN).http_port == 8080


def test_a_file_from_windows_is_read(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_bytes(f"\ufeffTELEGRAM_TOKEN={TOKEN}\r\nKIE_API_KEY= key \r\n".encode())
    settings = load(env_file)
    assert settings.telegram_token.get_secret_value() == TOKEN
    assert settings.kie_api_key.get_secret_value() == "key"


def test_a_file_that_is_no_text_is_one_line(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_bytes(b"TELEGRAM_TOKEN=\xff\xfe")
    with pytest.raises(WrongSettings, match=r"\.env: cannot be read \(UnicodeDecodeError\)"):
        load(env_file)


def test_without_a_file_the_environment_is_enough(tmp_path):
    os.environ.update(MINIMUM)
    assert load(tmp_path / "none").providers_in_use()[0].name == "kie"


def test_all_configured_upstreams_are_used_in_the_order_of_the_table(settings_of):
    settings = settings_of(**MINIMUM, SUNO_API_URL="http://suno.internal:3000/", SUNOAPI_ORG_API_KEY="key")
    assert [provider.name for provider in settings.providers_in_use()] == ["sunoapi_org", "kie", "suno_api"]


def test_named_upstreams_are_used_in_the_order_they_are_named(settings_of):
    settings = settings_of(
        **MINIMUM, SUNOAPI_ORG_API_KEY="key", APIKLEY_API_KEY="key", PROVIDERS="Kie, sunoapi_org,kie,"
    )
    assert [provider.name for provider in settings.providers_in_use()] == ["kie", "sunoapi_org"]


def test_an_upstream_comes_with_all_it_needs(settings_of):
    settings = settings_of(
        **MINIMUM,
        SUNO_API_URL="http://localhost:3000/",
        SUNO_API_COOKIE='"__client=abc; other=def"',
        SUNO_API_PRICE_FULL=7,
    )
    kie, suno = settings.providers_in_use()
    assert (kie.url, kie.cookie) == ("https://api.kie.ai", None)
    assert kie.key.get_secret_value() == MINIMUM["KIE_API_KEY"]
    assert (suno.url, suno.key) == ("http://localhost:3000", None)
    assert suno.cookie.get_secret_value() == "__client=abc; other=def"
    assert (suno.price_basic, suno.price_full) == (10, 7)


SECRET = "hunter2"


def test_several_wrong_settings_have_a_line_each(complaint_about):
    lines = complaint_about(HTTP_PORT="x", LOG_LEVEL="loud").splitlines()
    assert [line.split(":")[0] for line in lines] == ["HTTP_PORT", "LOG_LEVEL"]


@pytest.mark.parametrize(
    ("provider", "missing"),
    [(name, f"{name.upper()}_API_KEY") for name in PROVIDERS[:4]] + [("suno_api", "SUNO_API_URL")],
)
def test_a_named_upstream_needs_its_key_or_address(settings_of, provider, missing):
    line = rf"^{missing}: is not set, but PROVIDERS names {provider}\. Example: {missing}="
    with pytest.raises(WrongSettings, match=line):
        settings_of(TELEGRAM_TOKEN=TOKEN, PROVIDERS=provider, **{missing: ""}, **other_than(provider))


def other_than(provider):
    return {"SUNOAPI_COM_API_KEY": "key"} if provider != "sunoapi_com" else {"KIE_API_KEY": "key"}


def test_a_webhook_needs_a_public_url(complaint_about, settings_of):
    line = complaint_about(TELEGRAM_WEBHOOK="yes")
    assert line.startswith("PUBLIC_URL: is not set, but TELEGRAM_WEBHOOK needs it.")
    settings = settings_of(**MINIMUM, TELEGRAM_WEBHOOK="yes", PUBLIC_URL="https://bot.example.com/")
    assert settings.public_url == "https://bot.example.com"


def test_local_mode_needs_a_server_of_ones_own(complaint_about, settings_of):
    line = complaint_about(TELEGRAM_LOCAL_MODE="yes")
    assert line.startswith("TELEGRAM_API_URL: is Telegram's own, but TELEGRAM_LOCAL_MODE needs a server")
    own = settings_of(**MINIMUM, TELEGRAM_LOCAL_MODE="yes", TELEGRAM_API_URL="http://127.0.0.1:8081")
    assert own.telegram_local_mode


def test_serving_needs_a_token_and_an_upstream(complaint_about):
    token, upstream = complaint_about(TELEGRAM_TOKEN="", KIE_API_KEY="").splitlines()
    assert token.startswith("TELEGRAM_TOKEN: is not set; @BotFather gives you one. Example: TELEGRAM_TOKEN=")
    assert upstream.startswith("PROVIDERS: no upstream has a key; one is enough. Example: KIE_API_KEY=")


def test_a_migration_needs_neither_token_nor_upstream(settings_of):
    assert settings_of(serving=False).database_url.get_secret_value() == "sqlite:///stembot.db"


def test_a_repr_shows_no_secret(settings_of):
    settings = settings_of(
        TELEGRAM_TOKEN=TOKEN,
        DATABASE_URL=f"postgresql://ann:{SECRET}@db/stembot",
        SUNO_API_URL="http://localhost:3000",
        **{f"{name.upper()}_API_KEY": f"{SECRET}-{name}" for name in PROVIDERS[:4]},
        SUNO_API_COOKIE=f"__client={SECRET}",
    )
    shown = f"{settings!r} {settings} {settings.providers_in_use()}"
    assert SECRET not in shown
    assert TOKEN[10:] not in shown


def test_the_secrets_are_known_to_the_redaction(settings_of):
    settings = settings_of(
        **MINIMUM, DATABASE_URL="postgresql://ann:p%40ss@db/stembot", SUNO_API_COOKIE="a=b"
    )
    assert set(settings.secrets()) == {TOKEN, MINIMUM["KIE_API_KEY"], "a=b", "p%40ss", "p@ss"}
    assert Settings().secrets() == ()


def test_no_secret_is_in_the_traceback_of_a_wrong_setting():
    code = "from bot.settings import load; load(None)"
    wrong = {"DATABASE_URL": f"mysql://ann:{SECRET}@db", "KIE_API_KEY": f"{SECRET}é", "PYTHONPATH": "."}
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        env=os.environ | wrong,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "DATABASE_URL: is neither sqlite" in ended.stderr
    assert SECRET not in ended.stderr


def test_names_that_are_nearly_settings_are_pointed_out(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("TELEGRAM_TOKN=1\nkie_api_key=2\nPOSTGRES_PASSWORD=3\nKIE_APIKEY=4\n")
    assert typos(env_file) == [
        f"KIE_APIKEY in {env_file} is not a setting. Is KIE_API_KEY meant?",
        f"TELEGRAM_TOKN in {env_file} is not a setting. Is TELEGRAM_TOKEN meant?",
    ]
    assert typos(tmp_path / "none") == []
