"""Training files of OpenAI's fine-tuning: what is wrong with a line, and what a tuned model learns from it.

Two formats: chats (supervised) and preferences (dpo), each a JSON object a line.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from openflywheel.serve._fake.problem import Mistake, mistake
from openflywheel.serve._fake.talk import Content, Message, heard, text_of, tokens

LEAST = 10  # examples of a file
BROKEN = "The job failed due to a file format error in the {} file."
ROLES = ("system", "developer", "user", "assistant", "tool", "function")


class Said(Message):
    """A message; a `weight` of 0 takes it out of the training."""

    weight: Literal[0, 1] | None = None


class Turn(Struct):
    """An answer that is preferred, or not."""

    role: Literal["assistant", "tool"]
    content: Content = None


class Input(Struct):
    messages: Annotated[list[Said], Meta(min_length=1)]


class ChatLine(Struct):
    """A line of a supervised file."""

    messages: Annotated[list[Said], Meta(min_length=1)]


class PreferenceLine(Struct):
    """A line of a dpo file."""

    input: Input
    preferred_output: Annotated[list[Turn], Meta(min_length=1)]
    non_preferred_output: Annotated[list[Turn], Meta(min_length=1)]


class Example(Struct, frozen=True):
    """What was asked last and what is right, with its tokens (four characters each)."""

    question: str
    answer: str
    tokens: int


class BadFile(Exception):
    """A file cannot be trained on: `code` and the API's words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def examples(content: bytes, method: str, name: str) -> list[Example]:
    """The examples of a file; `name` is "training" or "validation". Raises BadFile with line and reason."""
    lines = [line for line in content.split(b"\n") if line.strip()]
    found = [_line(line, number, method, name) for number, line in enumerate(lines, 1)]
    if name == "training" and len(found) < LEAST:
        said = f"{name.title()} file has {len(found)} example(s), but must have at least {LEAST} examples"
        raise BadFile("invalid_n_examples", said)
    return found


def _line(line: bytes, number: int, method: str, name: str) -> Example:
    try:
        if method == "dpo":
            return _preference(msgspec.json.decode(line, type=PreferenceLine))
        return _chat(msgspec.json.decode(line, type=ChatLine))
    except msgspec.ValidationError as error:
        why = _why(mistake(error))
    except (msgspec.DecodeError, UnicodeDecodeError):
        why = "not a valid JSON dictionary"
    except ValueError as error:
        why = str(error)
    said = f"{BROKEN.format(name)} Invalid file format. Line {number}: {why}"
    raise BadFile("invalid_file_format", said)


def _why(found: Mistake) -> str:
    if not found.expected:
        return f'missing key "{found.param}"'
    return f"{found.param or 'the line'} should be {found.expected}"


def _chat(line: ChatLine) -> Example:
    _check(line.messages)
    last = line.messages[-1]
    if last.role != "assistant":
        raise ValueError("the last message must be from the assistant")
    return Example(heard(line.messages), text_of(last.content), _tokens(line.messages))


def _preference(line: PreferenceLine) -> Example:
    _check(line.input.messages)
    said = [Message(turn.role, turn.content) for turn in (*line.preferred_output, *line.non_preferred_output)]
    _check(said)
    answer = text_of(line.preferred_output[-1].content)
    return Example(heard(line.input.messages), answer, _tokens([*line.input.messages, *said]))


def _check(messages: Sequence[Message]) -> None:
    for place, message in enumerate(messages, 1):
        if message.role not in ROLES:
            raise ValueError(f'message {place}, role "{message.role}" is not one of {", ".join(ROLES)}')
        if not text_of(message.content):
            raise ValueError(f'message {place}, key "content" is null or empty')


def _tokens(messages: Sequence[Message]) -> int:
    return sum(tokens(len(text_of(m.content))) for m in messages)


class Learned:
    """A tuned model: it answers as the training example did whose question is most like the one asked."""

    def __init__(self, taught: Sequence[Example]) -> None:
        self._exact = {example.question: example.answer for example in taught}
        self._words = [(_words(example.question), example.answer) for example in taught]

    def answer(self, text: str) -> str:
        """The answer to the same question, else to the one that shares most words with it (Jaccard)."""
        if text in self._exact:
            return self._exact[text]
        asked = _words(text)
        return max(self._words, key=lambda known: _likeness(asked, known[0]))[1]


def _words(text: str) -> Counter[str]:
    return Counter(text.lower().split())


def _likeness(a: Counter[str], b: Counter[str]) -> float:
    return (a & b).total() / max((a | b).total(), 1)
