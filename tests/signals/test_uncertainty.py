import pytest

from openflywheel.signals import Episode
from openflywheel.signals.uncertainty import uncertainty


def test_a_doubtful_answer_draws_a_signal_by_the_model_as_strong_as_its_doubt(asked):
    doubtful, sure = asked(confidence=0.4), asked(confidence=0.95)
    (signal,) = uncertainty(Episode((doubtful, sure), {}), below=0.9)
    assert (signal.exchange, signal.source, signal.explicit) == (doubtful.id, "model", False)
    assert signal.value == pytest.approx(-0.6)


def test_an_answer_that_knows_no_confidence_is_not_doubted(asked):
    assert list(uncertainty(Episode((asked(confidence=0.0),), {}))) == []
