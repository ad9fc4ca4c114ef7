"""A shape, what it will cost, and what is kept of a model: all of it can be opened again."""

import math

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms import opened
from openflywheel.base.forms.generator import LabellingGenerator
from openflywheel.base.instruments import artefact
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson
from openflywheel.customize._scratch.cost import estimated
from openflywheel.customize._scratch.keeping import kept, told
from openflywheel.customize._scratch.lessons import Parts, tokenizer
from openflywheel.customize._scratch.shape import Shape, shaped
from openflywheel.customize._scratch.training import Trained
from openflywheel.customize._scratch.vocabulary import written

TASK, SHAPE = "route", Shape(32, 1, 2, 300, 64)


def row(text, label):
    return Row(text=text, source="t", labels={TASK: label})


def lesson(rows, kind="label"):
    return Lesson(Dataset(name="d", task=TASK, role="train", rows=(), recipe=""), rows, kind)


def made(labels=("a", "B", "b"), shape=SHAPE):
    """An untrained model of these labels, its tokenizer and what it was parted into."""
    rows = tuple(row(f"question {i}", label) for i, label in enumerate([*(labels or ("text",))] * 4))
    parts = Parts(rows, rows, labels)
    words = tokenizer(parts, TASK, shape.vocabulary)
    torch.manual_seed(0)
    return shaped(words, shape).eval(), words, parts


@pytest.mark.parametrize(("width", "layers", "heads"), [(32, 1, 2), (64, 3, 4), (48, 2, 1)])
def test_parameters_are_those_that_the_settings_promise(width, layers, heads):
    model, words, _ = made(shape=Shape(width, layers, heads, 300, 64))
    promised = len(words) * width + layers * 10 * width**2
    assert model.num_parameters() == pytest.approx(promised, rel=0.02)
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert model.config.max_position_embeddings == 64


@pytest.mark.parametrize(("width", "heads", "take"), [(30, 4, 256), (33, 1, 64), (6, 2, 128)])
def test_a_width_that_the_heads_cannot_share_is_told_with_one_that_they_can(width, heads, take):
    said = f"width = {width} is no multiple of 2 x heads = {2 * heads}; take {take}"
    with pytest.raises(SettingsError, match=said):
        made(shape=Shape(width, 1, heads, 300, 64))
    assert made(shape=Shape(take, 1, heads, 300, 64))[0].config.hidden_size == take


def test_labels_that_differ_in_case_alone_are_different_labels():
    _, words, parts = made()
    ids = {words(f"<|label:{label}|>", add_special_tokens=False)["input_ids"][0] for label in parts.labels}
    assert len(ids) == 3


def test_what_is_told_of_labels_is_how_they_are_served(tmp_path):
    model, words, parts = made()
    known, report = told(model, words, parts, TASK, Trained(0.5, 7, 99))
    assert known["labels"] == ("a", "B", "b")
    assert known["sharpness"] > 0
    assert {name: report[name] for name in ("loss", "steps", "tokens", "rows", "labels")} == {
        "loss": 0.5, "steps": 7, "tokens": 99, "rows": 12, "labels": 3,
    }  # fmt: skip
    assert "perplexity" not in report
    place = kept(tmp_path, model, words, {"task": TASK, "kind": "label", **known})
    answers = opened(place, {"folder": tmp_path})
    assert tuple(answers.labels) == parts.labels
    chances = answers.probabilities([r.text for r in parts.judging])
    right = [parts.labels.index(r.labels[TASK]) for r in parts.judging]
    assert report["accuracy"] == pytest.approx(np.mean(chances.argmax(axis=1) == right))
    log_loss = -np.log(chances[np.arange(len(right)), right]).mean()
    assert report["log_loss"] == pytest.approx(log_loss, abs=1e-3)


def test_a_label_that_nobody_teaches_counts_as_wrong_and_fits_no_temperature():
    model, words, parts = made()
    strange = replace(parts, judging=(*parts.judging, *(row(f"new {n}", "new") for n in range(4))))
    (plain, figures), (more, others) = (
        told(model, words, each, TASK, Trained(0.5, 7, 99)) for each in (parts, strange)
    )
    assert (figures["judged"], others["judged"]) == (12, 16)
    assert others["accuracy"] == pytest.approx(figures["accuracy"] * 12 / 16)
    assert more == plain
    assert others["log_loss"] == figures["log_loss"]


def test_rows_judge_as_they_weigh():
    model, words, parts = made()
    answers = LabellingGenerator(model, words, parts.labels, verbalizer={x: written(x) for x in parts.labels})
    best = answers.probabilities([r.text for r in parts.judging]).argmax(axis=1)
    light = tuple(
        replace(r, weight=1.0 if r.labels[TASK] == parts.labels[place] else 0.0)
        for r, place in zip(parts.judging, best, strict=True)
    )
    _, figures = told(model, words, replace(parts, judging=light), TASK, Trained(0.5, 7, 99))
    assert figures["accuracy"] > 0.98


def test_what_is_told_of_texts_has_no_labels():
    model, words, parts = made(labels=())
    known, report = told(model, words, parts, TASK, Trained(0.5, 7, 99))
    assert known == {}
    assert report["perplexity"] == pytest.approx(math.exp(0.5))
    assert not {"accuracy", "ece", "log_loss", "labels"} & set(report)


def test_the_same_model_is_kept_in_the_same_place_and_is_whole(tmp_path):
    model, words, _ = made(labels=())
    said = {"task": TASK, "kind": "text"}
    first, again = (kept(tmp_path, model, words, said) for _ in range(2))
    assert first == again
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
    manifest = artefact.manifest(first)
    assert (manifest["form"], manifest["method"], manifest["task"]) == ("generator", "scratch", TASK)
    there = {str(path.relative_to(first)) for path in first.rglob("*") if path.is_file()}
    assert set(manifest["files"]) <= there
    [answer] = opened(first, {"folder": tmp_path}).write([[{"role": "user", "content": "hi"}]], most_tokens=4)
    assert isinstance(answer, str)


def test_an_estimate_grows_with_all_that_costs():
    rows = [row("x" * 400, "a")] * 100
    one = estimated(lesson(rows), 256, 2, 4, 1e9)
    assert one.tokens == 4 * 100 * (100 + 3)
    assert one.gpu_seconds == 0
    for factor, more in (
        (2, estimated(lesson(rows), 256, 4, 4, 1e9)),
        (2, estimated(lesson(rows), 256, 2, 8, 1e9)),
        (4, estimated(lesson(rows), 512, 2, 4, 1e9)),
        (3, estimated(lesson(rows * 3), 256, 2, 4, 1e9)),
    ):
        assert more.cpu_seconds == pytest.approx(factor * one.cpu_seconds)
        assert more.dollars == pytest.approx(factor * one.dollars)


def test_answers_cost_where_they_are_written():
    rows = [row("x" * 400, "y" * 400)] * 100
    text, label = estimated(lesson(rows, "text"), 256, 2, 4, 1e9), estimated(lesson(rows), 256, 2, 4, 1e9)
    assert text.tokens - label.tokens == 4 * 100 * 100


def test_a_limit_is_the_most_and_says_so():
    rows = [row("x" * 400, "a")] * 100
    whole = estimated(lesson(rows), 256, 2, 4, 1e9)
    short = estimated(lesson(rows), 256, 2, 4, whole.cpu_seconds / 2)
    assert (short.cpu_seconds, short.tokens) == (whole.cpu_seconds / 2, whole.tokens)
    assert (
        short.note
        == f"{whole.note}; its seconds end it sooner"
        == ("41,200 tokens in 4 epochs; its seconds end it sooner")
    )
    assert estimated(lesson([]), 256, 2, 4, 1e9).cpu_seconds == 0
