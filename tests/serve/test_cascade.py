import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.settings import Costs
from openflywheel.serve.cascade import cascade


def test_handing_over_pays_exactly_below_chows_threshold():
    costs = Costs(call=0.5, error=6.0, person=4.0)
    threshold = cascade(costs)
    for confidence in (threshold - 0.01, threshold + 0.01):
        model, person = costs.call + (1 - confidence) * costs.error, costs.person
        assert (model < person) == (confidence > threshold)


def test_a_person_who_costs_more_than_an_error_is_never_asked():
    assert cascade(Costs(error=2, person=4)) == 0


def test_errors_that_cost_nothing_are_never_handed_over():
    assert cascade(Costs(error=0, person=4)) == 0


def test_the_threshold_can_be_set_by_hand():
    assert cascade(Costs(error=2, person=4), least=0.7) == 0.7


def test_a_threshold_that_is_no_probability_is_refused():
    with pytest.raises(SettingsError, match=r"least = 1\.5 is not a probability"):
        cascade(Costs(), least=1.5)
