import importlib

import pytest

from providers import registry
from providers.base import Mode
from providers.errors import Misconfigured

KEY = "sk-very-secret-key"


def test_the_order_is_the_order_of_preference():
    assert registry.names == ("sunoapi_org", "kie", "apikley", "sunoapi_com", "suno_api")


@pytest.mark.parametrize("name", registry.names)
async def test_every_provider_can_be_built_and_shows_no_secret(name):
    provider = registry.build(name, "http://127.0.0.1:9", KEY, cookie=f"__client={KEY}")
    assert provider.name == name
    assert importlib.import_module(f"providers.{name}").__doc__.startswith(provider.title)
    assert Mode.BASIC in provider.modes
    assert provider.limits.submits >= 1
    assert KEY not in repr(provider) + str(vars(provider))
    await provider.aclose()


def test_an_unknown_name_is_a_bug():
    with pytest.raises(KeyError):
        registry.build("nobody", "http://127.0.0.1:9")


@pytest.mark.parametrize("name", registry.names)
def test_a_key_that_cannot_be_sent_is_told_at_once(name):
    with pytest.raises(Misconfigured):
        registry.build(name, "http://127.0.0.1:9", "ключ", cookie="печенье")
