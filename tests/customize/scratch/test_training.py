"""The training loop over a tiny model: what it learns, when it ends, what it tells, what it leaves."""

import math
from itertools import pairwise

import pytest
import torch
from msgspec.structs import replace
from torch.nn.functional import cross_entropy

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Row
from openflywheel.customize._scratch.batches import batch
from openflywheel.customize._scratch.lessons import Parts, tokenizer, tokens
from openflywheel.customize._scratch.shape import Shape, shaped
from openflywheel.customize._scratch.training import Course, Run, one_thread
from openflywheel.customize._scratch.vocabulary import LABELS

TASK = "route"
SAID = {"refund": "my money back, order", "parcel": "where is parcel number", "login": "lost password of"}
COURSE = Course(4, 5e-3, 8, 1e9, 0.1, 0.1, 0, held=True)


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def rows(begin, number, shift=0):
    names = list(SAID)
    return tuple(
        Row(text=f"{text} {i}", source="t", labels={TASK: names[(n + shift) % 3]})
        for i in range(begin, begin + number)
        for n, text in enumerate(SAID.values())
    )


class School:
    """A fresh model, with examples that teach and examples that judge."""

    def __init__(self, course=COURSE, shift=0):
        labels = tuple(sorted(SAID)) if course.held else ()
        parts = Parts(rows(0, 16), rows(100, 4, shift), labels)
        words = tokenizer(parts, TASK, 300)
        self.taught, self.judged = (
            tokens(part, TASK, parts, Template(words), 64) for part in (parts.teaching, parts.judging)
        )
        torch.manual_seed(course.seed)
        self.model = shaped(words, Shape(32, 1, 2, 300, 64))
        self.special, self.told = len(words.get_added_vocab()), []
        self.run = Run(self.model, course, self.special, self.told.append)

    def train(self):
        """Judging and ending by the same rows, as no trainer does: what ends the run is seen from outside."""
        return self.run.train(self.taught, self.judged, self.judged)

    def by_hand(self, examples, begin=0, end=None):
        """Mean -log p of the answers' tokens, each example by itself, by the plain logits of some tokens."""
        losses = []
        self.model.eval()
        for example in examples:
            with torch.inference_mode():
                logits = self.model(input_ids=torch.tensor([example.tokens])).logits[0, :, begin:end]
            right = torch.tensor(example.answer) - begin
            losses += cross_entropy(logits[example.start - 1 : -1], right, reduction="none").tolist()
        return sum(losses) / len(losses)


def test_labels_are_learned_and_the_loss_is_that_of_a_choice_among_them():
    school = School()
    before = school.run.judged(school.judged)
    assert before == pytest.approx(math.log(3), abs=0.3)
    found = school.train()
    assert found.loss < before / 2
    by_hand = school.by_hand(school.judged, LABELS, school.special)
    assert found.loss == pytest.approx(by_hand, abs=1e-4)


def test_texts_are_learned_and_the_loss_is_over_all_tokens():
    school = School(replace(COURSE, held=False, epochs=6))
    before = school.run.judged(school.judged)
    found = school.train()
    assert found.loss < before / 2
    assert found.loss == pytest.approx(school.by_hand(school.judged), abs=1e-4)


def test_padding_and_order_change_no_judgement():
    school = School()
    whole = school.run.judged(school.judged)
    assert school.run.judged(school.judged[::-1]) == pytest.approx(whole, abs=1e-5)
    each = [school.run.judged([example]) for example in school.judged]
    assert sum(each) / len(each) == pytest.approx(whole, abs=1e-5)


def test_the_weights_left_are_the_best_ones_seen():
    """Judged by wrong labels it gets worse from some step on; what is left is from before."""
    school = School(replace(COURSE, epochs=20), shift=1)
    found = school.train()
    assert school.run.judged(school.judged) == pytest.approx(found.loss, abs=1e-5)
    told = [facts["validation_loss"] for facts in school.told if "validation_loss" in facts]
    assert found.loss <= min(told)
    assert found.loss < told[-1]
    assert found.steps < 20 * 6  # and it ended before its time


def test_rows_that_end_a_run_do_not_tell_how_good_it_is():
    """Half of the rows by wrong labels: they end the run early, and the others say what that came to."""
    course = replace(COURSE, epochs=20)
    school, wrong = School(course), School(course, shift=1)
    found = school.run.train(school.taught, school.judged, wrong.judged)
    assert found.steps < 20 * 6
    assert found.loss == pytest.approx(school.run.judged(school.judged), abs=1e-6)
    told = [facts["validation_loss"] for facts in school.told if "validation_loss" in facts]
    assert school.run.judged(wrong.judged) <= min(told) + 1e-5
    assert found.loss < min(told)


def test_a_run_that_no_rows_end_goes_on_and_keeps_its_last_weights():
    school = School(replace(COURSE, epochs=20), shift=1)  # judged by wrong labels
    found = school.run.train(school.taught, school.judged)
    told = [facts["validation_loss"] for facts in school.told if "validation_loss" in facts]
    assert found.steps == 20 * 6
    assert found.loss == pytest.approx(told[-1], abs=1e-5)
    assert found.loss > min(told)


def test_every_step_is_counted_and_its_tokens():
    school = School(replace(COURSE, held=False, epochs=2))
    found = school.train()
    assert found.steps == 2 * math.ceil(len(school.taught) / COURSE.batch)
    whole = sum(len(e.tokens) for e in school.taught)
    longest = batch(school.taught).ids.shape[1]
    assert 2 * whole <= found.tokens <= 2 * len(school.taught) * longest


def test_progress_is_told_in_order_and_ends_with_the_run():
    school = School(replace(COURSE, epochs=3))
    found = school.train()
    steps = [facts["step"] for facts in school.told]
    assert all(one < other for one, other in pairwise(steps))
    assert steps[-1] == found.steps
    assert {facts["steps"] for facts in school.told} == {18.0}
    assert all(type(value) is float and math.isfinite(value) for f in school.told for value in f.values())
    assert "validation_loss" in school.told[-1]


def test_a_run_without_time_takes_one_step_and_is_judged():
    school = School(replace(COURSE, seconds=1e-9))
    found = school.train()
    assert found.steps == 1
    assert math.isfinite(found.loss)
    assert [facts["step"] for facts in school.told] == [1.0]


def test_a_batch_larger_than_the_lesson_is_the_lesson():
    school = School(replace(COURSE, batch=1_000, epochs=3))
    assert school.train().steps == 3


def test_the_same_seed_trains_the_same_weights():
    found = []
    for seed in (1, 1, 2):
        school = School(replace(COURSE, epochs=1, seed=seed))
        found.append((school.train(), school.model.state_dict()))
    (one, weights), (same, again), (other, _) = found
    assert one == same
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert one.loss != other.loss


def test_nothing_stays_in_the_model_after_a_run():
    school = School(replace(COURSE, dropout=0.9, epochs=1))
    school.train()
    ids = torch.tensor([school.judged[0].tokens])
    school.model.train()  # the model has no dropout of its own
    first, second = (school.model(input_ids=ids).logits for _ in range(2))
    assert torch.equal(first, second)


def test_a_row_without_weight_teaches_nothing():
    """Not even in a batch of its like: the lies are longer than the rest, so they come together."""
    lying, trusting = School(), School()
    wrong = School(shift=1)
    lies = [e for e in wrong.judged for _ in range(4)]
    lying.taught = (*lying.taught, *(replace(e, weight=1e-3) for e in lies))
    trusting.taught = (*trusting.taught, *lies)
    assert lying.train().loss < trusting.train().loss / 2


def test_only_how_weights_compare_counts():
    found = []
    for weight in (1.0, 0.125):
        school = School(replace(COURSE, epochs=1))
        school.taught = tuple(replace(e, weight=weight) for e in school.taught)
        found.append(school.train())
    assert found[0].loss == pytest.approx(found[1].loss, abs=1e-5)


def test_a_run_that_diverges_names_its_rate():
    school = School(replace(COURSE, rate=1e42, epochs=1))  # judged after every step
    said = r"training diverged: at step 1 the validation loss is nan with rate = 1e\+42; .* rate = 1e\+41"
    with pytest.raises(SettingsError, match=said):
        school.train()


def test_a_run_that_diverges_late_says_so_though_it_was_good_before():
    school = School(replace(COURSE, held=False, epochs=10))  # 60 steps: judged after every sixth

    def breaking(facts):
        school.told.append(facts)
        if facts["step"] == 6:
            with torch.no_grad():
                school.model.model.norm.weight.fill_(math.nan)

    run = Run(school.model, replace(COURSE, held=False, epochs=10), school.special, breaking)
    with pytest.raises(SettingsError, match="at step 7 the loss is nan with rate = 0.005"):
        run.train(school.taught, school.judged)
    assert "validation_loss" in school.told[-1]
    assert all(math.isfinite(value) for facts in school.told for value in facts.values())


def test_threads_are_given_back_also_after_an_error():
    torch.set_num_threads(2)
    with pytest.raises(ZeroDivisionError), one_thread():
        assert torch.get_num_threads() == 1
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2
