"""MultiDoGO as it is read: conversations, what an agent reads in them, and the chats that teach."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.customize import conversations as source
from benchmarks.customize.conversations import DOMAINS, TASK, conversations, examples, small
from openflywheel.base.instruments import checkpoint
from openflywheel.base.instruments.template import Template

HEAD = ("conversationId", "turnNumber", "utterance", "slot-labels", "intent")
TWO = [
    ("c1", "0", "book me to new delhi", "O O O city city", "bookflight"),
    ("c1", "2", " from mumbai to goa ", "O city O city", "contentonly"),
    ("c2", "0", "hello", "O", "openinggreeting"),
    ("c2", "1", "no reading", "O O", ""),
    ("c3", "0", 'a "quoted" word', "O O O", "outofdomain"),
]


def write(folder, rows=TWO, part="train", domains=DOMAINS):
    for domain in domains:
        place = folder / "multidogo" / domain
        place.mkdir(parents=True, exist_ok=True)
        lines = ["\t".join(row) for row in (HEAD, *rows)]
        (place / f"{part}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_reading_is_the_intent_and_what_was_said_about_it(tmp_path):
    write(tmp_path)
    first = conversations(tmp_path, "train", 1)[0]
    assert first == [
        ("book me to new delhi", "bookflight; city: new delhi"),
        ("from mumbai to goa", "contentonly; city: mumbai; city: goa"),
    ]


def test_turns_without_a_reading_and_quotes_are_as_they_are(tmp_path):
    write(tmp_path)
    found = conversations(tmp_path, "train", 10)[:3]
    assert found[1:] == [[("hello", "openinggreeting")], [('a "quoted" word', "outofdomain")]]


@pytest.mark.parametrize("each", [0, 1, 2, 99])
def test_so_many_of_every_domain_in_their_order(tmp_path, each):
    write(tmp_path)
    found = conversations(tmp_path, "train", each)
    assert len(found) == len(DOMAINS) * min(each, 3)
    assert all(found[i] == found[i % min(each, 3)] for i in range(len(found)))


def test_parts_are_files_of_their_own(tmp_path):
    write(tmp_path)
    write(tmp_path, TWO[2:3], "dev")
    assert len(conversations(tmp_path, "dev", 9)) == len(DOMAINS)
    with pytest.raises(FileNotFoundError, match=r"test\.tsv"):
        conversations(tmp_path, "test", 1)


def test_a_row_a_message_with_all_that_was_said_before():
    first, second = examples([[("one", "read one"), ("two", "read two")]])
    assert (first.text, second.text) == ("one", "two")
    assert [row.labels[TASK] for row in (first, second)] == ["read one", "read two"]
    assert json.loads(first.meta["chat"]) == [{"role": "user", "content": "one"}]
    assert json.loads(second.meta["chat"]) == [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "read one"},
        {"role": "user", "content": "two"},
    ]


TURNS = st.lists(st.tuples(st.text(max_size=8), st.text(min_size=1, max_size=8)), max_size=4)


@given(st.lists(TURNS, max_size=4))
def test_no_chat_gives_its_own_answer_away(found):
    made = examples(found)
    assert len(made) == sum(map(len, found))
    for row, (turns, i) in zip(made, [(t, i) for t in found for i in range(len(t))], strict=True):
        chat = json.loads(row.meta["chat"])
        assert len(chat) == 2 * i + 1
        assert chat[-1] == {"role": "user", "content": row.text}
        assert [m["role"] for m in chat] == ["user", "assistant"] * i + ["user"]
        assert [m["content"] for m in chat[1::2]] == [reading for _, reading in turns[:i]]


FOUND = [[(f"where is my parcel {n}, please?", "a secret reading")] for n in range(30)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("bases")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        small(made / name, FOUND, 2, seed)
    yield made
    torch.set_num_threads(before)


def test_a_seed_makes_a_base(folder):
    one, same, other = (checkpoint.fingerprint(folder / name) for name in ("one", "same", "other"))
    assert one == same != other


def test_a_base_opens_like_any_other_and_is_of_the_size_told(folder):
    model, words = checkpoint.loaded(folder / "one")
    assert model.config.model_type == "qwen3"
    assert model.num_parameters() < 2.5e6
    assert len(words) <= source.WORDS
    asked = Template(words).prompt([{"role": "user", "content": "where is my parcel 3?"}], 64)
    assert words.decode(asked) == "<|user|>where is my parcel 3?<|end|><|assistant|>"


def test_a_base_has_never_seen_a_reading(folder):
    words = AutoTokenizer.from_pretrained(folder / "one")
    parcel, secret = (len(words(text)["input_ids"]) for text in ("where is my parcel", " secret reading"))
    assert parcel < secret


def test_reading_more_teaches_what_customers_say(folder, tmp_path):
    small(tmp_path / "more", FOUND, 6, 0)
    losses = []
    for place in (folder / "one", tmp_path / "more"):
        words = AutoTokenizer.from_pretrained(place)
        ids = torch.tensor([words("<|user|>where is my parcel 7, please?<|end|>")["input_ids"]])
        with torch.inference_mode():
            losses.append(float(AutoModelForCausalLM.from_pretrained(place)(input_ids=ids, labels=ids).loss))
    assert losses[1] < losses[0] - 0.2
