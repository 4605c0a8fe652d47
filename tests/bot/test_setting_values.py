import os

import pytest

from bot.setting_values import PROVIDERS
from bot.settings import Settings, WrongSettings, load

SECRET = "hunter2"
MINIMUM = {"TELEGRAM_TOKEN": "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_1", "KIE_API_KEY": "kie-key"}


@pytest.fixture
def settings_of():
    """Reads settings from an environment that holds them, what is needed to serve, and nothing else."""
    before = dict(os.environ)

    def settings_of(**settings):
        os.environ.clear()
        os.environ.update(MINIMUM | settings)
        return load(None)

    yield settings_of
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def complaint_about(settings_of):
    def complaint_about(**settings):
        with pytest.raises(WrongSettings) as caught:
            settings_of(**settings)
        return str(caught.value)

    return complaint_about


def test_ids_are_lists_with_commas(settings_of):
    settings = settings_of(ADMINS=" 1, 2 ,3,", ALLOWED_USERS="5", ALLOWED_CHATS="-100123, 7")
    assert settings.admins == {1, 2, 3}
    assert settings.allowed_users == {5}
    assert settings.allowed_chats == {-100123, 7}


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:9", "127.8.8.8", "[::1]:80"])
def test_a_public_url_on_this_machine_may_be_http(settings_of, host):
    assert settings_of(PUBLIC_URL=f"http://{host}").public_url == f"http://{host}"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///stembot.db",
        "sqlite:////data/stembot.db",
        "postgresql://ann:secret@db/stembot",
        "postgresql:///stembot?host=/run/postgresql",
    ],
)
def test_databases_that_can_be_used(settings_of, url):
    assert settings_of(DATABASE_URL=url).database_url.get_secret_value() == url


WRONG = [
    ("LOOK_EVERY_SECONDS", "abc", '"abc" is not a number. Example: LOOK_EVERY_SECONDS=10'),
    ("LOOK_EVERY_SECONDS", "0", '"0" is not more than 0. Example: LOOK_EVERY_SECONDS=10'),
    ("LOOK_FIRST_SECONDS", "-1", '"-1" is not more than 0. Example: LOOK_FIRST_SECONDS=15'),
    ("LOOK_FIRST_SECONDS", "inf", '"inf" is not a number. Example: LOOK_FIRST_SECONDS=15'),
    ("JOB_DEADLINE_SECONDS", "1e12", '"1e12" is more than 1209600.0. Example: JOB_DEADLINE_SECONDS=1800'),
    ("HTTP_PORT", "65536", '"65536" is more than 65535. Example: HTTP_PORT=8080'),
    ("HTTP_PORT", "80a", '"80a" is not a whole number. Example: HTTP_PORT=8080'),
    ("SUNO_API_PRICE_BASIC", "-1", '"-1" is less than 0. Example: SUNO_API_PRICE_BASIC=10'),
    ("REPEAT_PRICE", "9" * 5000, "is too large a number. Example: REPEAT_PRICE=0"),
    ("SIGNUP_CREDITS", "1.5", '"1.5" is not a whole number. Example: SIGNUP_CREDITS=100'),
    ("ADMINS", "1,@ann", '"@ann" is not a whole number. Example: ADMINS=123456789,987654321'),
    ("ALLOWED_USERS", "-5", '"-5" is not more than 0. Example: ALLOWED_USERS=123456789,987654321'),
    ("ALLOWED_CHATS", "here", '"here" is not a whole number. Example: ALLOWED_CHATS=-1001234567890'),
    ("TELEGRAM_WEBHOOK", "maybe", '"maybe" is neither true nor false. Example: TELEGRAM_WEBHOOK=true'),
    ("LOG_FORMAT", "xml", "\"xml\" is not one of 'text' or 'json'. Example: LOG_FORMAT=text"),
    ("KIE_URL", "api.kie.ai", "is not a web address. Example: KIE_URL=https://api.kie.ai"),
    ("KIE_URL", "ftp://api.kie.ai", "is not a web address. Example: KIE_URL=https://api.kie.ai"),
    ("KIE_URL", "https://[", "is not a web address. Example: KIE_URL=https://api.kie.ai"),
    ("KIE_URL", "https://a:99999", "is not a web address. Example: KIE_URL=https://api.kie.ai"),
    ("SUNO_API_URL", "http://", "is not a web address. Example: SUNO_API_URL=http://localhost:3000"),
    (
        "PUBLIC_URL",
        "http://bot.example.com",
        "must begin with https:// (http:// will do for this machine only). Example: PUBLIC_URL=https://bot.example.com",
    ),
    (
        "PROVIDERS",
        "kie,suno",
        f'"suno" is not one of {", ".join(PROVIDERS)}. Example: PROVIDERS=kie,sunoapi_org',
    ),
]


@pytest.mark.parametrize(("name", "value", "complaint"), WRONG)
def test_a_wrong_setting_is_one_line_with_an_example(complaint_about, name, value, complaint):
    assert complaint_about(**{name: value}) == f"{name}: {complaint}"


def test_a_log_level_that_is_none(complaint_about):
    assert complaint_about(LOG_LEVEL="loud").startswith("LOG_LEVEL: \"LOUD\" is not one of 'DEBUG'")


def test_a_value_of_several_lines_is_still_one_line(complaint_about):
    assert "\n" not in complaint_about(HTTP_PORT="80\n80")


WRONG_SECRETS = [
    ("TELEGRAM_TOKEN", SECRET),
    ("TELEGRAM_TOKEN", f"123:{SECRET}!"),
    ("KIE_API_KEY", f"{SECRET}é"),
    ("SUNO_API_COOKIE", f"{SECRET}\x07"),
    ("DATABASE_URL", f"mysql://ann:{SECRET}@db/stembot"),
    ("DATABASE_URL", f"postgresql+psycopg://ann:{SECRET}@db/stembot"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("DATABASE_URL", "sqlite:///"),
    ("SUNO_API_URL", f"https://ann:{SECRET}@suno.example.com"),
    ("SUNO_API_URL", f"https://suno.example.com?key={SECRET}"),
]


@pytest.mark.parametrize(("name", "value"), WRONG_SECRETS)
def test_a_complaint_does_not_quote_a_secret(complaint_about, name, value):
    complaint = complaint_about(**{name: value})
    assert complaint.startswith(f"{name}: ")
    assert SECRET not in complaint
    assert "\n" not in complaint


def test_examples_are_right_themselves(complaint_about, settings_of):
    named = [line.rsplit("Example: ")[1].split("=", 1) for line in everything_wrong(complaint_about)]
    assert len(named) == len(EVERYTHING_WRONG)
    settings_of(**dict(named) | {"KIE_API_KEY": "key", "SUNOAPI_ORG_API_KEY": "key"})


EVERYTHING_WRONG = {name.upper(): "?é" for name in Settings.model_fields if name != "http_host"}


def everything_wrong(complaint_about):
    return complaint_about(**EVERYTHING_WRONG).splitlines()
