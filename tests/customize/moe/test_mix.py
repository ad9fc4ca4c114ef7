import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.customize._moe.mix import Mix


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": 1}, "size = 1; a mixture has 2 experts or more"),
        ({"active": 0}, "active = 0; give 1 to size = 4"),
        ({"active": 5}, "active = 5; give 1 to size = 4"),
        ({"balance": -0.1}, "balance = -0.1; give 0 or more"),
        ({"balance": float("nan")}, "balance = nan; give 0 or more"),
        ({"balance": float("inf")}, "balance = inf; give 0 or more"),
    ],
)
def test_numbers_that_make_no_mixture_are_refused(wrong, said):
    with pytest.raises(SettingsError, match=said):
        Mix(**wrong)


@pytest.mark.parametrize("right", [{}, {"size": 2}, {"active": 4}, {"active": 1}, {"balance": 0}])
def test_other_numbers_are_taken(right):
    mix = Mix(**right)
    assert {name: getattr(mix, name) for name in right} == right
