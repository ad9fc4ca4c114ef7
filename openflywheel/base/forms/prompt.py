"""A model that is a prompt: instructions and retrieved demonstrations for a configured provider's model.

Demonstrations are the known questions nearest to the one that is asked (dynamic in-context learning: Liu et
al. 2021, arXiv:2101.06804). A provider's model tells no probabilities that could be trusted; how sure an
answer is was measured: the share of right answers on rows that chose nothing.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Chat
from openflywheel.base.instruments.prompting import TOKEN, Example, Template, asked

FORM, EXAMPLES = "prompt", "demonstrations.json"
PARALLEL = 4  # prompts that are out at once
SURER = 1.01  # against an even share: what the model said stays the likeliest label

Matrix = NDArray[np.float32]
Examples = tuple[Example, ...]
Answered = tuple[str, bool]


class Encoder(Protocol):
    """The sentence encoder (encoder.py)."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Matrix: ...


class Ask(Protocol):
    """Configured models: a prompt to the answer of one of them."""

    def __call__(self, prompt: str, /, *, model: str) -> str: ...


class Pool(Struct, frozen=True):
    """What can be demonstrated, with unit vectors of the questions, shape (len(examples), width)."""

    examples: Examples
    vectors: Matrix

    def nearest(self, vectors: Matrix, k: int, barred: NDArray[np.bool_] | None = None) -> list[Examples]:
        """For each vector the k most like examples, the likest first; of equal ones the earlier.

        barred: shape (len(vectors), len(examples)), which ones a vector may not have.
        """
        likeness = vectors @ self.vectors.T
        if barred is not None:
            likeness[barred] = -np.inf
        order = np.argsort(-likeness, axis=1, kind="stable")[:, :k]
        return [
            tuple(self.examples[place] for place in places if like[place] > -np.inf)
            for like, places in zip(likeness, order.tolist(), strict=True)
        ]


class Sureness(Struct, frozen=True):
    """The chance that an answer is right: that of the likest demonstration, or another than that."""

    agreed: float
    alone: float


class Prompted(Struct, frozen=True):
    """Answers by asking a model of a provider: answers.Labelling and answers.Writing."""

    template: Template
    pool: Pool
    k: int
    model: str
    sureness: Sureness
    ask: Ask
    encoder: Encoder

    @property
    def labels(self) -> tuple[str, ...]:
        """What it can answer; none when it writes."""
        return self.template.labels

    def answers(self, chats: Sequence[Chat]) -> list[Answered]:
        """See `answered`."""
        if self.k:
            last = self.encoder.encode([chat[-1]["content"] for chat in chats])
            found = self.pool.nearest(last, self.k)
        else:
            found = [()] * len(chats)
        return answered(self.template, chats, found, partial(self.ask, model=self.model))

    def probabilities(self, texts: Sequence[str]) -> Matrix:
        """Measured sureness on the answered label, the rest on all others evenly; shape (n, labels).

        A text without an answer has no likeliest label: all of them are equal.
        """
        n = len(self.labels)
        out: Matrix = np.full((len(texts), n), 1 / n, np.float32)
        for row, (answer, agreed) in enumerate(self.answers([user(text) for text in texts])):
            if answer:
                sure = max(self.sureness.agreed if agreed else self.sureness.alone, min(SURER / n, 1.0))
                out[row] = (1 - sure) / max(n - 1, 1)
                out[row, self.labels.index(answer)] = sure
        return out

    def write(self, chats: Sequence[Chat], *, most_tokens: int = 256) -> list[str]:
        """The next message of each chat; a token is counted as four characters."""
        return [answer[: most_tokens * TOKEN] for answer, _ in self.answers(chats)]


def opened(place: Path, *, encoder: Encoder, ask: Ask) -> Prompted:
    """A prompt that was kept. Raises StoreError, and EncoderError when it was chosen with another encoder."""
    said, tensors = artefact.read(place)
    if said["demonstrations"] and said["encoder"] != encoder.name:
        raise EncoderError(
            f"the model {place.name} finds its demonstrations by the encoder {said['encoder']!r}, this "
            f"process has {encoder.name!r}; set  encoder:  in flywheel.yaml back, or see: flywheel doctor"
        )
    examples = tuple(Example(**e) for e in json.loads((place / EXAMPLES).read_bytes()))
    template = Template(said["kind"], said["instructions"], tuple(said["labels"]), said["nearest_last"])
    return Prompted(
        template, Pool(examples, tensors["vectors"]), said["demonstrations"], said["base"]["name"],
        Sureness(**said["sureness"]), ask, encoder,
    )  # fmt: skip


def keep(made: Prompted, folder: Path, **manifest: Any) -> Path:
    """Write it as an artefact (artefact.py); `manifest` is kept beside it. Without k no demonstration is."""
    pool = made.pool if made.k else Pool((), np.zeros((0, 0), np.float32))
    template, sureness = made.template, made.sureness
    said = {
        "form": FORM,
        "base": {"name": made.model},
        "kind": template.kind,
        "labels": template.labels,
        "instructions": template.instructions,
        "nearest_last": template.nearest_last,
        "demonstrations": made.k,
        "encoder": made.encoder.name if made.k else "",
        "sureness": {"agreed": sureness.agreed, "alone": sureness.alone},
    }
    examples = [{"row": e.row, "text": e.text, "answer": e.answer} for e in pool.examples]
    files = {EXAMPLES: json.dumps(examples, ensure_ascii=False, indent=1).encode()}
    return artefact.keep(folder, {**said, **manifest}, {"vectors": pool.vectors}, files)


def answered(
    template: Template, chats: Sequence[Chat], found: Sequence[Examples], ask: Callable[[str], str]
) -> list[Answered]:
    """For each chat its answer, "" for none, and whether the likest of its examples answers the same.

    At most `PARALLEL` prompts are out at once. Raises what `ask` raises.
    """
    prompts = [template.prompt(asked(chat), some) for chat, some in zip(chats, found, strict=True)]
    with ThreadPoolExecutor(min(PARALLEL, len(prompts) or 1), "ask") as threads:
        said = [template.answer(text) for text in threads.map(ask, prompts)]
    return [(a, bool(some) and some[0].answer == a) for a, some in zip(said, found, strict=True)]


def user(text: str) -> Chat:
    """A conversation of one message."""
    return [{"role": "user", "content": text}]
