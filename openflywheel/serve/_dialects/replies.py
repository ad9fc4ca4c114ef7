"""An answer in one piece, said in the other dialect."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from openflywheel.serve._dialects.errors import Untranslatable, read
from openflywheel.serve._dialects.tools import Call, tool_call, tool_uses
from openflywheel.serve._dialects.vocabulary import (
    ChatUsage,
    MessagesUsage,
    chat_usage,
    finish_reason,
    messages_usage,
    stop_reason,
)


class _Block(Struct):
    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, Raw] = {}


class StopDetails(Struct):
    """Why Anthropic's model refused."""

    explanation: str | None = None


class _MessagesReply(Struct):
    id: str
    content: list[_Block]
    usage: MessagesUsage
    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class _ChatMessage(Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None


class _Choice(Struct):
    message: _ChatMessage
    finish_reason: str | None = None


class _ChatReply(Struct):
    id: str
    model: str
    choices: list[_Choice]
    usage: ChatUsage | None = None


_MESSAGES_DECODER = msgspec.json.Decoder(_MessagesReply)
_CHAT_DECODER = msgspec.json.Decoder(_ChatReply)


def messages_to_chat_reply(body: bytes, model: str, created: int) -> bytes:
    """Anthropic's message as a chat completion of `model`, with its id; `created` is a Unix time in seconds.

    Thinking, citations and the work of Anthropic's own tools are left out: chat completions have no place for
    them. A refusal ends with content_filter. Raises Untranslatable when the body is no message.
    """
    reply = read(_MESSAGES_DECODER, body, "Anthropic's reply")
    choice = {
        "index": 0,
        "message": _chat_message(reply),
        "logprobs": None,
        "finish_reason": finish_reason(reply.stop_reason),
    }
    return msgspec.json.encode(
        {
            "id": reply.id,
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": [choice],
            "usage": chat_usage(reply.usage),
        }
    )


def _chat_message(reply: _MessagesReply) -> dict[str, Any]:
    texts = [b.text for b in reply.content if b.type == "text"]
    calls = [tool_call(b.id, b.name, b.input) for b in reply.content if b.type == "tool_use"]
    return {
        "role": "assistant",
        "content": "".join(texts) if texts or not calls else None,  # null only beside calls, as OpenAI writes
        "refusal": reply.stop_details.explanation if reply.stop_details else None,
        **({"tool_calls": calls} if calls else {}),
    }


def chat_to_messages_reply(body: bytes) -> bytes:
    """OpenAI's chat completion as Anthropic's message, with its id and model.

    Logprobs, annotations, audio, reasoning that some servers add, and choices after the first are left out.
    A refusal is text, ended by `refusal`. Raises Untranslatable when the body is no completion.
    """
    reply = read(_CHAT_DECODER, body, "the chat completions reply")
    if not reply.choices:
        raise Untranslatable(
            f"the chat completion {reply.id!r} has no choices: there is nothing to translate"
        )
    message = reply.choices[0].message
    calls = tool_uses(message.tool_calls or ())
    texts = [{"type": "text", "text": text} for text in (message.content, message.refusal) if text]
    ended = reply.choices[0].finish_reason
    return msgspec.json.encode(
        {
            "id": reply.id,
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": [*texts, *calls],
            "stop_reason": stop_reason(ended, called=bool(calls), refused=bool(message.refusal)),
            "stop_sequence": None,
            "usage": messages_usage(reply.usage),
        }
    )
