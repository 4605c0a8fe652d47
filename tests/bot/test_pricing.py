from dataclasses import fields

import pytest

from bot.pricing import NoProvider, choose, other_mode, usual
from providers.base import Mode, SongRef
from storage.rows import Separation
from tests.bot.upstream_stand_in import FakeProvider
from tests.bot.world import SONG, TASK

REF = SongRef(SONG)


def provider(name, *, modes=frozenset(Mode), hindrance=None):
    return FakeProvider(name=name, title=name, modes=modes, hindrance=hindrance)


def named(*providers):
    return {one.name: one for one in providers}


def price(name, mode):
    return {"first": 1, "second": 100}[name] + len(mode)


def test_a_mode_costs_what_the_first_who_offers_it_asks():
    first, second = provider("first", modes=frozenset({Mode.BASIC})), provider("second")
    assert usual(named(first, second), price) == {Mode.BASIC: 6, Mode.FULL: 104}


def test_without_providers_nothing_has_a_price():
    assert usual({}, price) == {}


def test_the_first_that_can_take_it_gets_it():
    assert choose(named(provider("first"), provider("second")), REF, Mode.BASIC).name == "first"


def test_one_that_cannot_take_it_is_passed_over():
    first = provider("first", hindrance="It needs a task id.")
    assert choose(named(first, provider("second")), REF, Mode.BASIC).name == "second"


def test_one_without_the_mode_is_passed_over():
    first = provider("first", modes=frozenset({Mode.BASIC}))
    assert choose(named(first, provider("second")), REF, Mode.FULL).name == "second"


def test_the_first_obstacle_is_told():
    providers = named(provider("first", hindrance="One."), provider("second", hindrance="Two."))
    with pytest.raises(NoProvider, match="One"):
        choose(providers, REF, Mode.BASIC)


def test_without_providers_it_is_told_too():
    with pytest.raises(NoProvider, match="upstream"):
        choose({}, REF, Mode.BASIC)


def test_who_is_well_goes_before_who_is_not():
    providers = named(provider("first"), provider("second"))
    assert choose(providers, REF, Mode.BASIC, health={"first": 2, "second": 0}).name == "second"
    assert choose(providers, REF, Mode.BASIC, health={"first": 1, "second": 1}).name == "first"


def test_whoever_had_a_turn_gets_no_other():
    providers = named(provider("first"), provider("second"))
    assert choose(providers, REF, Mode.BASIC, tried={"first"}).name == "second"
    with pytest.raises(NoProvider):
        choose(providers, REF, Mode.BASIC, tried={"first", "second"})


def separation(mode):
    values = dict.fromkeys(field.name for field in fields(Separation))
    return Separation(**values | {"audio_id": SONG, "task_id": TASK, "mode": mode, "state": "succeeded"})


@pytest.mark.parametrize(
    ("mode", "modes", "offered"),
    [
        (Mode.BASIC, set(Mode), Mode.FULL),
        (Mode.FULL, set(Mode), Mode.BASIC),
        (Mode.BASIC, {Mode.BASIC}, None),
        (Mode.FULL, {Mode.FULL}, None),
    ],
)
def test_the_other_mode_is_offered_where_it_is_to_be_had(mode, modes, offered):
    assert other_mode(named(provider("first", modes=modes)), separation(mode)) is offered
