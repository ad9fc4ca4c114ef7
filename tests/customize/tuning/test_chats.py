import json
import string

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Row
from openflywheel.customize._tuning.chats import Example, chat, examples, prompt

TASK = "shop"


WRITTEN = (
    "{% for m in messages %}{{ m['role'][0]|upper }}{{ m['content'] }}.{% endfor %}"
    "{% if add_generation_prompt %}A{% endif %}"
)


def letters():
    """A tokenizer with a token a letter; a message is its role's initial, its content and a full stop."""
    vocabulary = {letter: i for i, letter in enumerate(string.printable)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token=".", pad_token="~")
    fast.chat_template = WRITTEN
    return fast


TOKENIZER = letters()


def read(tokens):
    return "".join(TOKENIZER.convert_ids_to_tokens(tokens))


def row(text="q", answer="a", messages=None, **more):
    meta = {"chat": json.dumps([{"role": r, "content": c} for r, c in messages])} if messages else {}
    return Row(text=text, source="test", labels={TASK: answer}, meta=meta, **more)


LONG = [("system", "s"), ("user", "one"), ("assistant", "two"), ("user", "three")]


@pytest.fixture
def template():
    return Template(TOKENIZER)


def test_a_rows_text_is_the_only_message_when_it_has_no_chat():
    assert chat(row("hello")) == [{"role": "user", "content": "hello"}]


def test_a_chat_in_meta_comes_with_its_roles():
    assert [(m["role"], m["content"]) for m in chat(row(messages=LONG))] == LONG


@pytest.mark.parametrize(
    "said", ["no json", "{}", '[{"role": "user"}]', '["hello"]', '[{"role": 1, "content": "x"}]']
)
def test_a_chat_that_is_none_is_refused_with_the_rows_name(said):
    bad = Row(text="q", source="mail", meta={"chat": said})
    with pytest.raises(SettingsError, match=f"{bad.id} of mail"):
        chat(bad)


def test_only_the_answer_and_its_end_count(template):
    (example,) = examples([row("why", "so", weight=2.0)], TASK, template, 100).kept
    assert read(example.tokens) == "Uwhy.Aso."
    assert read(example.answer) == "so."
    assert example.weight == 2.0


def test_an_example_may_be_exactly_as_long_as_the_budget(template):
    whole = len("Ss.Uone.Atwo.Uthree.Aa.")
    assert examples([row(messages=LONG)], TASK, template, whole).cut == 0
    assert examples([row(messages=LONG)], TASK, template, whole - 1).cut == 1


def test_a_long_prompt_loses_its_oldest_messages_but_not_the_systems(template):
    found = examples([row(messages=LONG)], TASK, template, len("Ss.Uthree.Aa."))
    assert read(found.kept[0].tokens) == "Ss.Uthree.Aa."
    assert (found.cut, found.dropped) == (1, 0)


def test_a_prompt_begins_with_a_message_of_the_user(template):
    turns = [
        ("user", "1"),
        ("assistant", "2"),
        ("assistant", "3"),
        ("user", "4"),
        ("assistant", "5"),
        ("user", "6"),
    ]
    messages = chat(row(messages=turns))
    sizes = {room: prompt(messages, template, room) for room in range(30)}
    assert {read(found[0]) for found in sizes.values() if found} == {
        "U1.A2.A3.U4.A5.U6.A", "U4.A5.U6.A", "U6.A",
    }  # fmt: skip
    assert [found[1] if found else 0 for found in (sizes[3], sizes[4], sizes[9], sizes[10], sizes[19])] == [
        0,
        1,
        1,
        3,
        6,
    ]


def test_a_row_whose_question_and_answer_dont_fit_is_dropped_and_no_answer_is_cut(template):
    rows = [row("q", "a" * 50), row("q" * 50, "a"), row("q", "a"), row("q", "a" * 6)]
    found = examples(rows, TASK, template, len("Uq.Aaaaaaa."))
    assert [read(example.answer) for example in found.kept] == ["a.", "aaaaaa."]
    assert (found.cut, found.dropped) == (0, 2)
    assert found.tokens == len("Uq.Aa.") + len("Uq.Aaaaaaa.")


def test_a_row_without_weight_still_counts_a_little(template):
    assert examples([row(weight=0.0)], TASK, template, 100).kept[0].weight > 0


def test_no_rows_make_no_examples(template):
    found = examples([], TASK, template, 10)
    assert (found.kept, found.tokens) == ((), 0)


def test_an_example_knows_where_its_answer_begins():
    assert Example([1, 2, 3], 2).answer == [3]
    assert Example([1, 2, 3], 3).answer == []
