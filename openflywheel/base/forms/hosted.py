"""A model that a provider tuned for us and keeps: it is asked there, by its name.

A label's probability comes from the provider's own: the product of those of the answer's tokens, made to mean
what it says by a temperature that was fitted on rows which taught nothing. Where the provider tells none, it
is the share of right answers on such rows.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.account import Account, Provider, account
from openflywheel.base.instruments.answers import Chat
from openflywheel.base.instruments.vectors import softmax

FORM = "hosted"
MOST_LABEL_TOKENS = 64
SURE = 1 - 1e-6  # at most: a logprob of 0 is rounded, no certainty

Matrix = NDArray[np.float32]


class Hosted(Struct, frozen=True):
    """Answers by a provider's model: answers.Labelling, where it has labels, and answers.Writing.

    `model` is its name at the provider, `system` the instruction before every chat, `measured` the share of
    its answers that were right. `logprobs`: whether the provider tells the probabilities of tokens.
    """

    account: Account
    model: str
    system: str = ""
    labels: tuple[str, ...] = ()
    sharpness: float = 1.0
    measured: float = 0.5
    logprobs: bool = True

    def probabilities(self, texts: Sequence[str]) -> Matrix:
        """Calibrated probabilities, shape (len(texts), len(labels)).

        An answer that is none of the labels, to the letter, makes all of them equally likely.
        """
        return softmax(np.float32(self.sharpness) * self.scores(texts))

    def scores(self, texts: Sequence[str]) -> Matrix:
        """Log probabilities before the temperature, shape (len(texts), len(labels)); all 0 for no label."""
        return self.scored(self.said(texts))

    def scored(self, answers: Sequence[tuple[str, float | None]]) -> Matrix:
        """The scores of answers that were given; see `scores`."""
        out = np.zeros((len(answers), len(self.labels)), np.float32)
        known = {label: place for place, label in enumerate(self.labels)}
        for row, (said, sure) in zip(out, answers, strict=True):
            if said in known and len(known) > 1:
                chance = min(self.measured if sure is None else sure, SURE)
                row[:] = math.log((1 - chance) / (len(known) - 1))
                row[known[said]] = math.log(chance)
        return out

    def said(self, texts: Sequence[str]) -> list[tuple[str, float | None]]:
        """The answer to each text and its probability, None where the provider tells none."""
        more = {"max_tokens": MOST_LABEL_TOKENS, **({"logprobs": True} if self.logprobs else {})}
        chats = [[{"role": "user", "content": text}] for text in texts]
        return [(_text(c).strip(), _chance(c)) for c in self._choices(chats, more)]

    def write(self, chats: Sequence[Chat], *, most_tokens: int = 256) -> list[str]:
        """The next message of each chat, at most so many of the provider's tokens long."""
        return [_text(choice) for choice in self._choices(chats, {"max_tokens": most_tokens})]

    def _choices(self, chats: Sequence[Chat], more: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        bodies = [
            {"model": self.model, "messages": with_system(chat, self.system), "temperature": 0, **more}
            for chat in chats
        ]
        return [answer["choices"][0] for answer in self.account.chats(bodies)]


def with_system(chat: Chat, system: str) -> list[Mapping[str, str]]:
    """The chat after an instruction, unless it brings one of its own."""
    own = bool(chat) and chat[0]["role"] in ("system", "developer")
    return [*chat] if own or not system else [{"role": "system", "content": system}, *chat]


def _text(choice: Mapping[str, Any]) -> str:
    return choice["message"].get("content") or ""


def _chance(choice: Mapping[str, Any]) -> float | None:
    """Probability of the whole answer."""
    tokens = (choice.get("logprobs") or {}).get("content")
    return math.exp(sum(token["logprob"] for token in tokens)) if tokens else None


def opened(place: Path, *, providers: Mapping[str, Provider]) -> Hosted:
    """A model that was kept; nothing is asked yet. Raises StoreError, SettingsError."""
    said = artefact.manifest(place)
    return Hosted(
        account(said["provider"], providers), said["model"], said["system"], tuple(said["labels"]),
        said["sharpness"], said["measured"], said["logprobs"],
    )  # fmt: skip


def keep(made: Hosted, folder: Path, **manifest: Any) -> Path:
    """Write it as an artefact (artefact.py): its name and how to ask it; the weights stay at the provider."""
    said = {
        "form": FORM,
        "provider": made.account.name,
        "model": made.model,
        "system": made.system,
        "labels": made.labels,
        "sharpness": made.sharpness,
        "measured": made.measured,
        "logprobs": made.logprobs,
    }
    return artefact.keep(folder, {**said, **manifest})
