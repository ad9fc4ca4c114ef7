"""What text guards share: find spans, let the longest name an overlap, put placeholders in their place."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Verdict

MODES = ("redact", "refuse")


class Span(NamedTuple):
    """Characters start to end (exclusive) of a text, and what they are."""

    start: int
    end: int
    kind: str


def _always(match: re.Match[str]) -> bool:
    """The pattern alone is proof enough."""
    return bool(match)


class Detector(NamedTuple):
    """A pattern, and a check that its match must pass; the span is the group `value`, else the match.

    Patterns must run in linear time: each start is behind a look-behind that allows one start a run, or
    the match has a bounded length. At its ends a pattern looks at one character only, and spans end with
    their word: so no placeholder uncovers what the text in its place had hidden, and redacting is idempotent.

    `needs` is a cheap pattern without which a text holds no span, or some words, of which its case-folded
    form has one; `hint` is the same for bulk work, where it differs. These patterns match within one line,
    and RE2 reads them too (see `hints`). A span and all that decides about it lie in the hint's line and in
    the `REACH` characters before it, unless it is `long`.
    """

    kind: str
    pattern: re.Pattern[str]
    holds: Callable[[re.Match[str]], bool] = _always
    needs: str | tuple[str, ...] = ""
    hint: str = ""
    long: bool = False


REACH = 64  # characters; the longest is _phones.WINDOW and a bracket


class Hints(NamedTuple):
    """Patterns of RE2, one of which matches wherever a guard may find something.

    `lines`: what a guard does to a line with a match depends on nothing but that line and `REACH` characters
    before it; `texts`: it must see the whole text. It leaves everything else as it is.
    """

    lines: tuple[str, ...]
    texts: tuple[str, ...]


def hints(detectors: Iterable[Detector]) -> Hints:
    """The detectors' hints; digits are those of all scripts, as they are to Python and not to RE2."""
    said = dict.fromkeys((d.hint or str(d.needs), d.long) for d in detectors)
    lines, texts = (
        [p.replace(r"\d", r"\p{Nd}") for p, long in said if long is kind] for kind in (False, True)
    )
    return Hints(tuple(lines), tuple(texts))


def found(text: str, detector: Detector) -> Iterator[Span]:
    """Every span of one detector; a match that fails its check costs one character, not its whole length."""
    group = "value" if "value" in detector.pattern.groupindex else 0
    match = detector.pattern.search(text)
    while match:
        holds = detector.holds(match)
        if holds:
            yield Span(*match.span(group), detector.kind)
        match = detector.pattern.search(text, match.end() if holds else match.start() + 1)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Overlapping spans as one that covers them all, named by the longest (the first of equals)."""
    groups: list[list[Span]] = []
    end = 0
    for span in sorted(spans, key=lambda s: s.start):
        if span.start >= end:
            groups.append([])
        groups[-1].append(span)
        end = max(end, span.end)
    return [_cover(group) for group in groups]


def _cover(group: Sequence[Span]) -> Span:
    longest = max(group, key=lambda s: s.end - s.start)
    return Span(group[0].start, max(s.end for s in group), longest.kind)


def find(text: str, detectors: Sequence[Detector], kinds: Collection[str]) -> list[Span]:
    """Spans of these kinds, in order and without overlap. Raises SettingsError for a kind nobody detects."""
    _known("kind", kinds, dict.fromkeys(d.kind for d in detectors))
    wanted = [d for d in detectors if d.kind in kinds]
    return merged(span for d in _likely(text, wanted) for span in found(text, d))


def _likely(text: str, detectors: Iterable[Detector]) -> Iterator[Detector]:
    """The detectors whose need is in the text. Many share one: it is looked for once."""
    there: dict[str | tuple[str, ...], bool] = {"": True}
    for detector in detectors:
        if detector.needs not in there:
            there[detector.needs] = _has(text, detector.needs)
        if there[detector.needs]:
            yield detector


def _has(text: str, needs: str | tuple[str, ...]) -> bool:
    if isinstance(needs, str):
        return bool(_compiled(needs).search(text))
    folded = text.casefold()
    return any(word in folded for word in needs)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def replaced(text: str, spans: Sequence[Span], placeholder: str) -> str:
    """The text with a placeholder, such as "<{}>" with the kind for {}, in the place of each span."""
    return renamed(text, spans, lambda kind, _: placeholder.format(kind))


def renamed(text: str, spans: Sequence[Span], name: Callable[[str, str], str]) -> str:
    """The text with `name(kind, value)` in the place of each span."""
    ends = [0, *(s.end for s in spans)]
    parts = (
        text[end : s.start] + name(s.kind, text[s.start : s.end]) for end, s in zip(ends, spans, strict=False)
    )
    return "".join(parts) + text[ends[-1] :]


def judged(check: str, spans: Sequence[Span], mode: str) -> Verdict:
    """A guard's opinion: it counts kinds, never quotes values. Raises SettingsError for an unknown mode."""
    _known("mode", (mode,), MODES)
    return Verdict(
        check=check,
        about="",
        passed="no" if spans and mode == "refuse" else "yes",
        n=len(spans),
        reason=", ".join(f"{n} {kind}" for kind, n in Counter(s.kind for s in spans).items()),
    )


def _known(what: str, given: Iterable[str], choices: Collection[str]) -> None:
    for value in given:
        if value not in choices:
            raise SettingsError(f"guards have no {what} {value!r}; choices: {', '.join(choices)}")
