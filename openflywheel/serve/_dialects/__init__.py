"""Two dialects of one conversation: OpenAI's chat completions ("chat") and Anthropic's messages ("messages").

A client of one can be answered by a provider of the other, so that a fallback chain may cross providers:

    client   request to the provider   reply                    stream
    chat     chat_to_messages          messages_to_chat_reply   MessagesToChatStream
    messages messages_to_chat          chat_to_messages_reply   ChatToMessagesStream

Everything here is a pure function over bytes. What the other dialect cannot say raises Untranslatable; what
it may lose without changing the answer's meaning is listed in the docstring of the function that loses it.
Source: the API references of both, and the types of openai 3.54 and anthropic 2.12, which the tests use.
"""

from openflywheel.serve._dialects.errors import (
    EventTooLarge,
    Untranslatable,
    error_to_anthropic,
    error_to_openai,
    status_in,
)
from openflywheel.serve._dialects.event_stream import Events, frame
from openflywheel.serve._dialects.from_chat import DEFAULT_MAX_TOKENS, chat_to_messages
from openflywheel.serve._dialects.from_messages import messages_to_chat
from openflywheel.serve._dialects.replies import chat_to_messages_reply, messages_to_chat_reply
from openflywheel.serve._dialects.stream_from_chat import ChatToMessagesStream
from openflywheel.serve._dialects.stream_from_messages import MessagesToChatStream

__all__ = [
    "DEFAULT_MAX_TOKENS",
    "ChatToMessagesStream",
    "EventTooLarge",
    "Events",
    "MessagesToChatStream",
    "Untranslatable",
    "chat_to_messages",
    "chat_to_messages_reply",
    "error_to_anthropic",
    "error_to_openai",
    "frame",
    "messages_to_chat",
    "messages_to_chat_reply",
    "status_in",
]
