"""From rows to chats, and from chats to tokens of which only the answer's count.

Prompts and answers become tokens by the same Template that asks the model later on.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.answers import Chat
from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Row

LEAST_WEIGHT = 1e-3  # of a row, so that weights have a mean to be compared with


class Message(Struct, frozen=True):
    """One message of a chat, as meta "chat" of a row has it."""

    role: str
    content: str


class Example(Struct, frozen=True):
    """Tokens of a prompt and its answer; the answer begins at `start`."""

    tokens: list[int]
    start: int
    weight: float = 1.0

    @property
    def answer(self) -> list[int]:
        """The tokens that count."""
        return self.tokens[self.start :]


class Examples(Struct, frozen=True):
    """What became of rows: `cut` of those kept lost their oldest messages, `dropped` did not fit at all."""

    kept: tuple[Example, ...]
    cut: int = 0
    dropped: int = 0

    @property
    def tokens(self) -> int:
        """Of all examples, prompts and answers."""
        return sum(len(example.tokens) for example in self.kept)


def chat(row: Row) -> Chat:
    """The messages before the answer: meta "chat", or the row's text as the only one.

    Raises SettingsError when meta "chat" is no JSON list of messages.
    """
    if "chat" not in row.meta:
        return [{"role": "user", "content": row.text}]
    try:
        messages = msgspec.json.decode(row.meta["chat"], type=list[Message])
    except msgspec.DecodeError as error:
        raise SettingsError(
            f'the row {row.id} of {row.source}: meta "chat" is no list of messages: {error}'
        ) from None
    return [{"role": message.role, "content": message.content} for message in messages]


def examples(rows: Sequence[Row], task: str, template: Template, most_tokens: int) -> Examples:
    """An example a row, of at most `most_tokens`.

    A prompt that is too long loses its oldest messages, but for the system's, so that it begins with one of
    the user. The answer is never cut: a row whose last question and answer don't fit is dropped.
    """
    kept, cut, dropped = list[Example](), 0, 0
    for row in rows:
        messages, answer = chat(row), template.answer(row.labels[task])
        found = prompt(messages, template, most_tokens - len(answer))
        if found is None:
            dropped += 1
            continue
        tokens, left = found
        cut += left < len(messages)
        kept.append(Example([*tokens, *answer], len(tokens), max(row.weight, LEAST_WEIGHT)))
    return Examples(tuple(kept), cut, dropped)


def prompt(messages: Chat, template: Template, room: int) -> tuple[list[int], int] | None:
    """The tokens of the last messages, as many as fit into `room`, and their number; None where none fit."""
    for shorter in _shorter(messages):
        tokens = template.prompt(shorter, room + 1)  # one more than fits tells that it is too long
        if len(tokens) <= room:
            return tokens, len(shorter)
    return None


def _shorter(messages: Chat) -> Iterator[Chat]:
    """The chat, then without its oldest messages, again and again."""
    yield messages
    head = [message for message in messages[:1] if message["role"] == "system"]
    for begin in range(len(head) + 1, len(messages)):
        if messages[begin]["role"] == "user":
            yield [*head, *messages[begin:]]
