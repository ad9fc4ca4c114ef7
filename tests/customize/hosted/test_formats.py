"""Lines in each provider's words, held against schemas written down from their documents."""

import json
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from openflywheel.customize._hosted.formats import LIMITS, LINES, Example, refused

SYSTEM = {"role": "system", "content": "be brief"}
TALK = (
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "hi"},
    {"role": "user", "content": "where is my parcel"},
)
Text = Annotated[str, Meta(min_length=1)]


class Exact(Struct, forbid_unknown_fields=True):
    """A table of a document; what it does not name is an error."""


class Message(Exact):
    role: Literal["system", "user", "assistant"]
    content: Text


class OpenAI(Exact):
    """platform.openai.com/docs/api-reference/fine-tuning/chat-input"""

    messages: Annotated[list[Message], Meta(min_length=2)]


class Answer(Exact):
    role: Literal["assistant"]
    content: Text


class Input(Exact):
    messages: Annotated[list[Message], Meta(min_length=1)]
    tools: list[dict]
    parallel_tool_calls: bool


class Preference(Exact):
    """platform.openai.com/docs/api-reference/fine-tuning/preference-input"""

    input: Input
    preferred_output: Annotated[list[Answer], Meta(min_length=1, max_length=1)]
    non_preferred_output: Annotated[list[Answer], Meta(min_length=1, max_length=1)]


class Block(Exact):
    text: Text


Blocks = Annotated[list[Block], Meta(min_length=1)]


class Turn(Exact):
    role: Literal["user", "assistant"]
    content: Blocks


class Bedrock(Exact):
    """docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding.html"""

    schemaVersion: Literal["bedrock-conversation-2024"]
    messages: Annotated[list[Turn], Meta(min_length=2)]
    system: Blocks | UnsetType = UNSET


class Content(Exact):
    role: Literal["user", "model"]
    parts: Blocks


class Instruction(Exact):
    role: Literal["system"]
    parts: Blocks


class Vertex(Exact):
    """cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare"""

    contents: Annotated[list[Content], Meta(min_length=2)]
    systemInstruction: Instruction | UnsetType = UNSET


SCHEMAS = {"openai": OpenAI, "openai-dpo": Preference, "bedrock": Bedrock, "vertex": Vertex}


def example(messages=TALK, answer="on its way", rejected="no idea"):
    return Example(tuple(messages), answer, rejected)


@pytest.mark.parametrize("form", SCHEMAS)
@pytest.mark.parametrize("messages", [TALK, (SYSTEM, *TALK), TALK[:1]])
def test_lines_fit_the_documents(form, messages):
    assert refused(example(messages), form) == ""
    said = msgspec.json.decode(json.dumps(LINES[form](example(messages))), type=SCHEMAS[form])
    assert said


def test_openai_ends_with_the_answer():
    said = LINES["openai"](example((SYSTEM, *TALK)))["messages"]
    assert said == [SYSTEM, *TALK, {"role": "assistant", "content": "on its way"}]


def test_a_preference_has_both_answers():
    said = LINES["openai-dpo"](example())
    assert said["input"]["messages"] == list(TALK)
    assert said["preferred_output"][0]["content"] == "on its way"
    assert said["non_preferred_output"][0]["content"] == "no idea"


def test_bedrock_has_its_instruction_beside_the_chat():
    said = LINES["bedrock"](example((SYSTEM, *TALK)))
    assert said["system"] == [{"text": "be brief"}]
    assert [m["role"] for m in said["messages"]] == ["user", "assistant", "user", "assistant"]
    assert said["messages"][-1]["content"] == [{"text": "on its way"}]
    assert "system" not in LINES["bedrock"](example())


def test_vertex_says_model_for_assistant():
    said = LINES["vertex"](example((SYSTEM, *TALK)))
    assert said["systemInstruction"] == {"role": "system", "parts": [{"text": "be brief"}]}
    assert [c["role"] for c in said["contents"]] == ["user", "model", "user", "model"]
    assert "systemInstruction" not in LINES["vertex"](example())


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("made", [example(answer=" \n"), example(({"role": "user", "content": ""},))])
def test_an_empty_message_is_refused(form, made):
    assert refused(made, form) == "an empty message"


def test_a_pair_needs_two_answers():
    assert refused(example(rejected=""), "openai-dpo") == "no answer that was liked less"
    assert refused(example(rejected=" "), "openai-dpo") == "an empty message"
    assert refused(example(rejected=""), "openai") == ""


@pytest.mark.parametrize("token", ["<|endoftext|>", "<|fim_suffix|>", "<|im_start|>"])
def test_a_token_of_the_model_is_refused_by_openai_alone(token):
    made = example(answer=f"so {token}")
    assert refused(made, "openai") == "a token of the model's own"
    assert refused(example(rejected=token), "openai-dpo") == "a token of the model's own"
    assert refused(made, "bedrock") == refused(made, "vertex") == ""
    assert refused(example(answer="a <| b |> c"), "openai") == ""


@pytest.mark.parametrize("word", ["User: hi", "say Bot: x", "System: y", "an <image>", "[EOS]"])
def test_a_reserved_word_in_a_prompt_is_refused_by_bedrock_alone(word):
    made = example(({"role": "user", "content": word},))
    assert refused(made, "bedrock") == "a reserved word"
    assert refused(made, "openai") == refused(made, "vertex") == ""
    assert refused(example(answer=word), "bedrock") == ""
    assert refused(example(({"role": "user", "content": "a superUser: x"},)), "bedrock") == ""


@pytest.mark.parametrize(
    "messages",
    [(), (SYSTEM,), TALK[:2], (TALK[0], TALK[0]), TALK[1:], (*TALK[:1], SYSTEM, *TALK[1:])],
)
@pytest.mark.parametrize("form", ["bedrock", "vertex"])
def test_chats_without_turns_are_refused(form, messages):
    assert refused(example(messages), form) == "no turns of user and assistant"


def test_every_format_has_limits():
    assert LIMITS.keys() == LINES.keys() == SCHEMAS.keys()
