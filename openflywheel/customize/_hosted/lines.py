"""A whole training file: rows to lines, those left out with the reason, and their tokens."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.hosted import with_system
from openflywheel.base.nouns import Row
from openflywheel.customize._hosted.formats import LIMITS, LINES, Example, Format, refused
from openflywheel.customize._tuning.chats import chat

BYTES = 4  # of a token of English, about (OpenAI's rule of thumb); a token has never less than one
PER_MESSAGE, PER_EXAMPLE = 3, 3  # tokens that a chat format adds (OpenAI's cookbook on counting tokens)
WEIGHTLESS = "no weight"
TOO_LONG = "longer than an example may be"


class Line(Struct, frozen=True):
    """One example: its JSON, its tokens by estimate; or the reason why it was left out."""

    json: bytes = b""
    tokens: int = 0
    reason: str = ""


class File(Struct, frozen=True):
    """A training file: `content` is JSONL; `tokens` by estimate; `dropped`: reason -> rows."""

    content: bytes
    rows: int
    tokens: int
    dropped: dict[str, int]


def lines(
    rows: Sequence[Row], task: str, form: Format, *, system: str = "", most_tokens: int = 0
) -> Iterator[Line]:
    """A line a row, in their order. `most_tokens` of an example, 0 for those that the format allows."""
    most = most_tokens or LIMITS[form].tokens
    for row in rows:
        yield _line(row, task, form, system, most)


def _line(row: Row, task: str, form: Format, system: str, most: int) -> Line:
    if row.weight <= 0:
        return Line(reason=WEIGHTLESS)
    messages = tuple(with_system(chat(row), system))
    example = Example(messages, row.labels[task], row.meta.get("rejected", ""))
    if reason := refused(example, form):
        return Line(reason=reason)
    count = tokens(example)
    if most and count > most:
        return Line(reason=TOO_LONG)
    said = json.dumps(LINES[form](example), ensure_ascii=False, separators=(",", ":"))
    return Line(f"{said}\n".encode(), count)


def tokens(example: Example) -> int:
    """About how many tokens an example has; a pair of answers is read twice."""
    answers = [answer for answer in (example.answer, example.rejected) if answer]
    texts = [m["content"] for m in example.messages] + answers
    return PER_EXAMPLE + sum(PER_MESSAGE + -(-len(text.encode()) // BYTES) for text in texts)


def file(rows: Sequence[Row], task: str, form: Format, *, system: str = "", most_tokens: int = 0) -> File:
    """All lines as one file."""
    made = list(lines(rows, task, form, system=system, most_tokens=most_tokens))
    kept = [line for line in made if not line.reason]
    dropped = Counter(line.reason for line in made if line.reason)
    return File(
        b"".join(line.json for line in kept), len(kept), sum(line.tokens for line in kept), dict(dropped)
    )


def check(rows: int, size: int, dropped: Mapping[str, int], form: Format, task: str) -> None:
    """Raises SettingsError for a file of so many rows and bytes that its provider would refuse."""
    limits = LIMITS[form]
    left = "; ".join(f"{count:,} left out: {reason}" for reason, count in dropped.items())
    least = max(limits.least, 1)
    if rows < least:
        why = f" ({left})" if left else ""
        raise SettingsError(f"task {task!r} has {rows} examples for {form}, which takes {least} or more{why}")
    if limits.most and rows > limits.most:
        raise SettingsError(f"task {task!r} has {rows:,} examples; {form} takes at most {limits.most:,}")
    if limits.size and size > limits.size:
        raise SettingsError(
            f"the examples of task {task!r} take {size:,} bytes; {form} takes {limits.size:,}: curate fewer"
        )
