"""What a training file may hold, line by line."""

import json

import pytest

from openflywheel.serve._fake.examples import BadFile, Example, Learned, examples


def chat(question="where is it", answer="track", *before):
    return {
        "messages": [*before, {"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    }


def pair(question="where is it", good="soon", bad="no"):
    return {
        "input": {
            "messages": [{"role": "user", "content": question}],
            "tools": [],
            "parallel_tool_calls": True,
        },
        "preferred_output": [{"role": "assistant", "content": good}],
        "non_preferred_output": [{"role": "assistant", "content": bad}],
    }


def content(*lines):
    return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()


def failed(*lines, method="supervised", name="validation"):
    with pytest.raises(BadFile) as caught:
        examples(content(*lines), method, name)
    return caught.value


def test_a_chat_teaches_its_last_answer():
    system = {"role": "system", "content": "be brief"}
    [found] = examples(content(chat("abcd", "ef", system)), "supervised", "validation")
    assert found == Example("abcd", "ef", 2 + 1 + 1)


def test_parts_of_a_message_are_read_as_one():
    line = chat()
    line["messages"][0]["content"] = [{"type": "text", "text": "where "}, {"type": "text", "text": "is it"}]
    assert examples(content(line), "supervised", "validation")[0].question == "where is it"


def test_a_pair_teaches_the_answer_that_was_preferred():
    [found] = examples(content(pair()), "dpo", "validation")
    assert (found.question, found.answer, found.tokens) == ("where is it", "soon", 3 + 1 + 1)


def test_blank_lines_are_no_examples():
    assert len(examples(content(chat(), "", "  ", chat()), "supervised", "validation")) == 2


def test_a_training_file_has_ten_examples():
    bad = failed(*[chat()] * 9, name="training")
    assert bad.code == "invalid_n_examples"
    assert bad.message == "Training file has 9 example(s), but must have at least 10 examples"
    assert len(examples(content(*[chat()] * 10), "supervised", "training")) == 10
    assert examples(b"", "supervised", "validation") == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nothing", "not a valid JSON dictionary"),
        ("{", "not a valid JSON dictionary"),
        ({"prompt": "x"}, 'missing key "messages"'),
        ([], "the line should be"),
        ({"messages": []}, "messages should be"),
        ({"messages": [{"content": "x"}]}, 'missing key "messages[0].role"'),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content should be"),
        ({"messages": [{"role": "user", "content": "x"}]}, "the last message must be from the assistant"),
        (chat("x", ""), 'message 2, key "content" is null or empty'),
        (chat("x", None), 'message 2, key "content" is null or empty'),
        (chat("x", "y", {"role": "robot", "content": "z"}), 'message 1, role "robot" is not one of'),
        (chat("x", "y", {"role": "user", "content": "z", "weight": 0.5}), "messages[0].weight should be"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(line, why):
    bad = failed(chat(), line)
    assert bad.code == "invalid_file_format"
    assert bad.message.startswith("The job failed due to a file format error in the validation file.")
    assert f"Line 2: {why}" in bad.message


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"preferred_output": []}, "preferred_output should be"),
        ({"preferred_output": [{"role": "user", "content": "x"}]}, "preferred_output[0].role should be"),
        ({"non_preferred_output": [{"role": "assistant", "content": ""}]}, "message 2, key"),
        ({"input": {"messages": []}}, "input.messages should be"),
    ],
)
def test_a_wrong_pair_is_told(change, why):
    assert f"Line 1: {why}" in failed({**pair(), **change}, method="dpo").message
    assert 'missing key "input"' in failed(chat(), method="dpo").message


def test_a_tuned_model_knows_what_it_was_taught():
    learned = Learned([Example("where is my parcel", "track", 1), Example("cancel my order", "cancel", 1)])
    assert learned.answer("cancel my order") == "cancel"
    assert learned.answer("the parcel, where is it") == "track"
    assert learned.answer("Cancel it") == "cancel"
    assert learned.answer("zzz") in ("track", "cancel")


def test_the_later_of_two_answers_to_a_question_counts():
    assert Learned([Example("q", "old", 1), Example("q", "new", 1)]).answer("q") == "new"
