import pickle
import re

import pytest

from openflywheel.base import errors
from openflywheel.base.errors import FlywheelError, MissingSecret, SettingsError, UnknownSetting, suggest

EVERY = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, FlywheelError)]


def test_the_tree_at_the_top_of_the_file_names_every_error():
    drawn = re.findall(r"^ {4}(\w+) {2,}(\w.+)$", errors.__doc__, re.MULTILINE)
    assert dict(drawn) == {e.__name__: _in_short(e) for e in EVERY if e is not FlywheelError}


def _in_short(error: type[FlywheelError]) -> str:
    said = error.__doc__.strip().rstrip(".").partition(";")[0]
    return said[0].lower() + said[1:]


def test_one_except_catches_whatever_is_wrong_with_the_settings():
    assert issubclass(MissingSecret, SettingsError)
    assert issubclass(UnknownSetting, SettingsError)


@pytest.mark.parametrize("error", EVERY)
def test_errors_cross_processes_with_what_they_say(error):
    assert str(pickle.loads(pickle.dumps(error("the thing, the value")))) == "the thing, the value"


def test_an_unknown_setting_can_say_which_one():
    assert UnknownSetting("no").setting == ""
    assert UnknownSetting("no", "limit").setting == "limit"


@pytest.mark.parametrize(
    ("value", "choices", "said"),
    [
        ("lenght", ["length", "limit"], "did you mean 'length'?"),
        ("xyz", ["b", "a"], "choices: a, b"),
        ("xyz", [], "choices: none"),
    ],
    ids=["the nearest", "all when none is near", "none"],
)
def test_a_wrong_name_gets_a_suggestion(value, choices, said):
    assert suggest(value, choices) == said
