import numpy as np

from openflywheel.serve._desk import Reply, replies


def test_the_likeliest_label_is_the_answer_and_the_next_ones_are_choices():
    (reply,) = replies(["a", "b", "c", "d"], np.array([[0.1, 0.6, 0.05, 0.25]], np.float32), 0.5)
    assert reply == Reply("b", reply.confidence, ("b", "d", "a"))
    assert abs(reply.confidence - 0.6) < 1e-6


def test_below_the_threshold_a_person_answers_but_the_choices_stay():
    (reply,) = replies(["a", "b"], np.array([[0.45, 0.55]], np.float32), 0.6)
    assert reply.output == ""
    assert reply.choices == ("b", "a")
