"""Between the dialect that a client speaks and the provider's, where they are two."""

from msgspec.structs import replace

from openflywheel.serve._dialects import (
    ChatToMessagesStream,
    MessagesToChatStream,
    Untranslatable,
    chat_to_messages,
    chat_to_messages_reply,
    error_to_anthropic,
    error_to_openai,
    messages_to_chat,
    messages_to_chat_reply,
)
from openflywheel.serve._gateway import asked as asking
from openflywheel.serve._gateway.intake import Request
from openflywheel.serve._gateway.surfaces import CHAT, MESSAGES
from openflywheel.serve._generators.plain import plain
from openflywheel.serve._upstream.chain import Prepared, Reached, Target


class Translation:
    """One request's words, there and back."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._stream: MessagesToChatStream | ChatToMessagesStream | None = None

    def prepared(self, target: Target) -> Prepared:
        """The request in the words of a target's provider, clean for our own model. Raises Untranslatable."""
        said = self._translated(target)
        return replace(said, body=plain(said.body, target.special)) if target.special else said

    def _translated(self, target: Target) -> Prepared:
        request, self._stream = self._request, None
        if self._same(target):
            body = asking.patched(request.body, target.model)
            return Prepared(request.surface.path, body, request.forwarded())
        if request.surface == CHAT:
            clean = asking.patched(request.body, target.model)
            body = chat_to_messages(clean, target.model, sampling=target.upstream.provider.sampling)
            return Prepared(MESSAGES.path, body, request.forwarded())
        if request.surface == MESSAGES:
            clean = asking.patched(request.body, target.model)
            return Prepared(CHAT.path, messages_to_chat(clean, target.model), request.forwarded())
        raise Untranslatable(
            f"the provider {target.upstream.name!r} speaks {target.upstream.provider.dialect}, which has no "
            f"{request.surface.name} requests; ask another provider's model"
        )

    def reply(self, reached: Reached) -> bytes:
        """A whole reply, or an error, in the client's words."""
        body, status = reached.body, reached.response.status
        if self._same(reached.target):
            return body
        if status >= 400:
            to = error_to_openai if self._request.surface == CHAT else error_to_anthropic
            return to(status, body)
        if self._request.surface == CHAT:
            return messages_to_chat_reply(body, reached.target.model, int(self._request.at))
        return chat_to_messages_reply(body)

    def feed(self, reached: Reached, chunk: bytes) -> bytes:
        """A piece of a stream in the client's words."""
        if self._same(reached.target):
            return chunk
        if self._stream is None:
            self._stream = self._translator(reached.target)
        return self._stream.feed(chunk)

    def _translator(self, target: Target) -> MessagesToChatStream | ChatToMessagesStream:
        if self._request.surface == MESSAGES:
            return ChatToMessagesStream()
        usage = bool((self._request.asked.stream_options or {}).get("include_usage"))
        return MessagesToChatStream(target.model, int(self._request.at), include_usage=usage)

    def _same(self, target: Target) -> bool:
        return target.upstream.provider.dialect == self._request.surface.dialect
