"""The plugin that decides whether the best quote answers; and the routes that may name it."""

import pytest

from openflywheel.base import door
from openflywheel.base.errors import SettingsError, UnknownSetting
from openflywheel.serve.extractive import Quote, extractive
from openflywheel.serve.routes import EXTRACTIVE, Route, Variant, routes

BEST = Quote(text="Within 5 days.", confidence=0.5, row="a", uri="help.html")
NEXT = Quote(text="By post.", confidence=0.4, row="b")


def test_the_best_quote_answers_from_the_threshold_on():
    assert extractive([BEST, NEXT]) is BEST
    assert extractive([BEST, NEXT], least=0.5) is BEST
    assert extractive([BEST, NEXT], least=0.51) is None


def test_nothing_answers_where_nothing_was_found():
    assert extractive([], least=0.0) is None


def test_it_comes_through_the_door_with_its_threshold():
    assert door.load("serve", "extractive", {"least": 0.45})([NEXT]) is None
    assert door.load("serve", "extractive", {"least": 0.4})([NEXT]) is NEXT
    with pytest.raises(UnknownSetting, match="did you mean 'least'"):
        door.load("serve", "extractive", {"lest": 0.4})


def test_it_is_a_variant_and_never_a_fallback():
    own = {"own": Variant(model=EXTRACTIVE)}
    assert routes(answer=Route(variants=own, fallback=("openai/gpt-x",)))["answer"].variants == own
    with pytest.raises(SettingsError, match="answer: fallback: flywheel/extractive can only be a variant"):
        routes(answer=Route(variants={"big": Variant(model="openai/gpt-x")}, fallback=(EXTRACTIVE,)))
