"""From pairs and thumbs to tokens, written by the same Template that asks the model later on."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.instruments.template import Template
from openflywheel.customize._preference.liking import Pair, Thumb
from openflywheel.customize._tuning.chats import chat, prompt


class Choice(Struct, frozen=True):
    """Tokens of a prompt with a better and a worse answer; of a single thumb one of them is empty."""

    prompt: list[int]
    better: list[int]
    worse: list[int]
    weight: float = 1.0

    @property
    def tokens(self) -> int:
        """That a model reads for it: the prompt before each answer."""
        answers = [answer for answer in (self.better, self.worse) if answer]
        return sum(len(self.prompt) + len(answer) for answer in answers)


class Choices(Struct, frozen=True):
    """What became of pairs or thumbs: `cut` of those kept lost old messages, `dropped` did not fit."""

    kept: tuple[Choice, ...]
    cut: int = 0
    dropped: int = 0

    @property
    def tokens(self) -> int:
        """Of all choices."""
        return sum(choice.tokens for choice in self.kept)


def choices(found: Sequence[Pair] | Sequence[Thumb], template: Template, most_tokens: int) -> Choices:
    """A choice each, of at most `most_tokens` with the longer answer; weights are scaled to a mean of 1.

    Prompts lose their oldest messages as in `_tuning.chats`; an answer is never cut.
    """
    kept, cut, dropped = list[Choice](), 0, 0
    for one in found:
        better, worse = ([] if text is None else template.answer(text) for text in _answers(one))
        messages = chat(one.row)
        fits = prompt(messages, template, most_tokens - max(len(better), len(worse)))
        if fits is None:
            dropped += 1
            continue
        tokens, left = fits
        cut += left < len(messages)
        kept.append(Choice(tokens, better, worse, one.weight))
    return Choices(_scaled(kept), cut, dropped)


def _answers(one: Pair | Thumb) -> tuple[str | None, str | None]:
    """The better and the worse one."""
    if isinstance(one, Pair):
        return one.chosen, one.rejected
    return (one.answer, None) if one.up else (None, one.answer)


def _scaled(kept: Sequence[Choice]) -> tuple[Choice, ...]:
    """Weights with a mean of 1: then a rate is good for any.

    Thumbs up weigh as much as thumbs down in all: else the commoner kind is most of what is learned
    (Ethayarajh et al. 2024, arXiv 2402.01306, equation 8).
    """
    kinds = [(bool(choice.better), bool(choice.worse)) for choice in kept]
    totals = defaultdict[tuple[bool, bool], float](float)
    for choice, kind in zip(kept, kinds, strict=True):
        totals[kind] += choice.weight
    each = len(kept) / max(1, len(totals))
    return tuple(replace(c, weight=c.weight * each / totals[k]) for c, k in zip(kept, kinds, strict=True))
