from openflywheel.base.nouns import Exchange
from openflywheel.signals import Episode
from openflywheel.signals.uncertainty import uncertainty


def exchange(confidence):
    return Exchange(episode="e", task="route", input="hi", output="x", variant="m", confidence=confidence)


def test_a_doubtful_answer_draws_a_signal_by_the_model_as_strong_as_its_doubt():
    doubtful, sure = exchange(0.4), exchange(0.95)
    (signal,) = uncertainty(Episode((doubtful, sure), {}), below=0.9)
    assert (signal.exchange, signal.source, signal.explicit) == (doubtful.id, "model", False)
    assert abs(signal.value + 0.6) < 1e-9
