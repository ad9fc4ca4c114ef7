"""A row as a line of a training file, in each provider's own words.

openai      messages (platform.openai.com/docs/api-reference/fine-tuning/chat-input)
openai-dpo  an answer and one that was liked less (.../fine-tuning/preference-input)
bedrock     "bedrock-conversation-2024", the format of the Converse API
            (docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding.html)
vertex      Gemini's supervised tuning
            (cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare)
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

Message = Mapping[str, str]
Format = Literal["openai", "openai-dpo", "bedrock", "vertex"]

# The tokens that OpenAI's models use among themselves: one of them in a text fails the whole job.
OWN_TOKEN = re.compile(r"<\|(endoftext|endofprompt|fim_\w+|im_\w+|start|end|message|channel|return|call)\|>")
# What Amazon Nova keeps for itself: one of them in a prompt fails the whole job.
RESERVED = re.compile(r"\b(User|Bot|Assistant|System):|<image>|<video>|\[EOS\]")


class Example(Struct, frozen=True):
    """A chat up to its last question, the right answer, and one that was liked less (for openai-dpo)."""

    messages: tuple[Message, ...]
    answer: str
    rejected: str = ""


class Limits(Struct, frozen=True):
    """What a provider takes: examples, bytes of a file, tokens of an example; 0 for no limit that we know."""

    least: int
    most: int
    size: int
    tokens: int


def openai(example: Example) -> Any:
    """A chat that ends with the answer."""
    return {"messages": [*example.messages, {"role": "assistant", "content": example.answer}]}


def openai_dpo(example: Example) -> Any:
    """A chat, the answer that is right and the other one."""
    return {
        "input": {"messages": list(example.messages), "tools": [], "parallel_tool_calls": True},
        "preferred_output": [{"role": "assistant", "content": example.answer}],
        "non_preferred_output": [{"role": "assistant", "content": example.rejected}],
    }


def bedrock(example: Example) -> Any:
    """A chat that ends with the answer, the instruction beside it."""
    system, rest = _parted(example.messages)
    said = [*rest, {"role": "assistant", "content": example.answer}]
    messages = [{"role": m["role"], "content": [{"text": m["content"]}]} for m in said]
    instruction = {"system": [{"text": text} for text in system]} if system else {}
    return {"schemaVersion": "bedrock-conversation-2024", **instruction, "messages": messages}


def vertex(example: Example) -> Any:
    """A chat that ends with the answer, of the roles user and model."""
    system, rest = _parted(example.messages)
    said = [*rest, {"role": "assistant", "content": example.answer}]
    roles = {"user": "user", "assistant": "model"}
    contents = [{"role": roles[m["role"]], "parts": [{"text": m["content"]}]} for m in said]
    if not system:
        return {"contents": contents}
    instruction = {"role": "system", "parts": [{"text": text} for text in system]}
    return {"systemInstruction": instruction, "contents": contents}


LINES: Mapping[Format, Callable[[Example], Any]] = {
    "openai": openai,
    "openai-dpo": openai_dpo,
    "bedrock": bedrock,
    "vertex": vertex,
}
LIMITS: Mapping[Format, Limits] = {
    "openai": Limits(10, 0, 512_000_000, 65_536),
    "openai-dpo": Limits(10, 0, 512_000_000, 65_536),
    "bedrock": Limits(0, 0, 0, 0),  # they differ by model: see the quotas of the account
    "vertex": Limits(0, 1_000_000, 1_000_000_000, 131_072),
}


def refused(example: Example, form: Format) -> str:
    """Why an example cannot be a line of that format; "" when it can."""
    texts = [m["content"] for m in example.messages] + [example.answer]
    if form == "openai-dpo":
        if not example.rejected:
            return "no answer that was liked less"
        texts.append(example.rejected)
    if not all(text.strip() for text in texts):
        return "an empty message"
    if form in ("openai", "openai-dpo"):
        return "a token of the model's own" if any(map(OWN_TOKEN.search, texts)) else ""
    if not _alternate(_parted(example.messages)[1]):
        return "no turns of user and assistant"
    prompts = [m["content"] for m in example.messages if m["role"] != "assistant"]
    return "a reserved word" if form == "bedrock" and any(map(RESERVED.search, prompts)) else ""


def _parted(messages: Sequence[Message]) -> tuple[list[str], list[Message]]:
    """The instructions at the beginning, and the rest."""
    count = next(
        (i for i, m in enumerate(messages) if m["role"] not in ("system", "developer")), len(messages)
    )
    return [m["content"] for m in messages[:count]], list(messages[count:])


def _alternate(messages: Sequence[Message]) -> bool:
    """Do user and assistant take turns, from user to user?"""
    roles = [m["role"] for m in messages]
    return len(roles) % 2 == 1 and roles == [("user", "assistant")[i % 2] for i in range(len(roles))]
