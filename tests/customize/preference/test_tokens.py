import json

import pytest
from tiny import tiny

from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Row
from openflywheel.customize._preference.liking import Pair, Thumb
from openflywheel.customize._preference.tokens import choices


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    from transformers import AutoTokenizer

    return Template(AutoTokenizer.from_pretrained(tiny(tmp_path_factory.mktemp("base"))))


def row(text, **meta):
    return Row(text=text, source="test", meta=meta)


def prompt(template, text):
    return template.prompt([{"role": "user", "content": text}], 1000)


def test_a_pair_is_a_prompt_and_two_answers(template):
    found = choices([Pair(row("where is it?"), "on its way.", "no idea", 2.0)], template, 100)
    [choice] = found.kept
    assert choice.prompt == prompt(template, "where is it?")
    assert (choice.better, choice.worse) == (template.answer("on its way."), template.answer("no idea"))
    assert choice.weight == 1.0  # of all one
    assert found.tokens == 2 * len(choice.prompt) + len(choice.better) + len(choice.worse)


def test_a_thumb_has_one_answer_alone(template):
    found = choices([Thumb(row("a"), "b", True, 1.0), Thumb(row("a"), "", False, 1.0)], template, 100)
    up, down = found.kept
    assert (up.better, up.worse) == (template.answer("b"), [])
    assert (down.better, down.worse) == ([], template.answer(""))
    assert found.tokens == len(up.prompt) + len(up.better) + len(down.prompt) + len(down.worse)


def test_weights_have_a_mean_of_one_and_keep_their_shares(template):
    found = choices([Pair(row(str(i)), "a", "b", w) for i, w in enumerate((0.1, 0.3))], template, 100)
    assert [c.weight for c in found.kept] == pytest.approx([0.5, 1.5])


def test_thumbs_up_weigh_as_much_as_thumbs_down(template):
    weights = ((True, 1.0), (True, 1.0), (True, 2.0), (False, 0.5))
    found = choices([Thumb(row(str(i)), "a", up, w) for i, (up, w) in enumerate(weights)], template, 100)
    assert [c.weight for c in found.kept] == pytest.approx([0.5, 0.5, 1.0, 2.0])


def test_a_long_conversation_loses_its_oldest_messages_and_a_long_answer_its_row(template):
    messages = [{"role": "user", "content": "cancel my order, please. " * 20}]
    messages += [{"role": "assistant", "content": "done"}, {"role": "user", "content": "where is it?"}]
    long = Pair(row("where is it?", chat=json.dumps(messages)), "here", "there", 1.0)
    endless = Pair(row("where is it?"), "here", "there " * 100, 1.0)
    found = choices([long, endless], template, 60)
    assert (len(found.kept), found.cut, found.dropped) == (1, 1, 1)
    assert found.kept[0].prompt == prompt(template, "where is it?")
