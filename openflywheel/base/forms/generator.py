"""A causal language model in this process: it writes answers, and says how likely each label is.

Its manifest names the weights: a whole checkpoint in the artefact under `CHECKPOINT`, or "base" for one that
lies outside ({"name", "path" or "hub", "sha256", "config_sha256", "revision"}, see checkpoint.local);
`ADAPTER` may hold a peft adapter. It may have

    "instruction"   a system message that stands before chats without one
    "template"      a chat template in place of the checkpoint's own
    "labels"        with "sharpness", for label tasks
    "verbalizer"    how a label is written, by label, where that is not the label itself
                    (Schick & Schuetze 2021, arXiv 2001.07676)
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments import artefact, checkpoint
from openflywheel.base.instruments.answers import Chat
from openflywheel.base.instruments.scoring import by_paths, by_tree, padded
from openflywheel.base.instruments.template import Template
from openflywheel.base.instruments.trie import Trie
from openflywheel.base.instruments.vectors import Matrix, softmax

FORM, CHECKPOINT, ADAPTER = "generator", "checkpoint", "adapter"
TOGETHER = 4_096  # tokens of one forward pass: more is no faster on a CPU
UNNAMED = 8_192  # tokens of context, for models that carry a state and name no limit
LOGITS = 2**26  # numbers of one forward pass, 256 MB: with 40 choosing nodes and 150,000 tokens, 11 texts


class Generator:
    """Writes with a model and its tokenizer; one call at a time uses the model (answers.Writing)."""

    def __init__(self, model: Any, tokenizer: Any, instruction: str = "") -> None:
        self.model, self.tokenizer = model, tokenizer
        self.template = Template(tokenizer, instruction)
        self.lock = Lock()

    def write(self, chats: Sequence[Chat], *, most_tokens: int = 256) -> list[str]:
        """The likeliest next message of each chat, token by token; the same chats give the same messages."""
        new = min(most_tokens, self._context // 2)
        prompts = [self.template.prompt(chat, self._context - new) for chat in chats]
        written = [""] * len(chats)
        for batch in batches(prompts, new, TOGETHER):
            for place, text in zip(batch, self._written([prompts[i] for i in batch], new), strict=True):
                written[place] = text
        return written

    @property
    def _context(self) -> int:
        """Tokens that the model was made for, of prompt and answer together."""
        return int(getattr(self.model.config.get_text_config(), "max_position_embeddings", UNNAMED))

    def _written(self, prompts: Sequence[list[int]], most_tokens: int) -> list[str]:
        torch, transformers = checkpoint.libraries()
        ids, known = padded(prompts, self.tokenizer.pad_token_id)
        greedy = transformers.GenerationConfig(
            do_sample=False,
            max_new_tokens=most_tokens,
            pad_token_id=self.tokenizer.pad_token_id,
            eos_token_id=self._ends(),
        )
        with self.lock, torch.inference_mode():
            given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(known).long()}
            out = self.model.generate(
                **{name: t.to(self.model.device) for name, t in given.items()}, generation_config=greedy
            )
        found: list[str] = self.tokenizer.batch_decode(out[:, ids.shape[1] :], skip_special_tokens=True)
        return [text.strip() for text in found]

    def _ends(self) -> list[int]:
        """The tokens that end a message: the tokenizer's, and those that the checkpoint names."""
        named = self.model.generation_config.eos_token_id
        listed = named if isinstance(named, list) else [] if named is None else [named]
        return sorted({self.tokenizer.eos_token_id, *listed})


class LabellingGenerator(Generator):
    """Also chooses among labels, by decoding that is held to them (answers.Labelling).

    Raises StoreError when two labels have the same tokens.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        labels: Sequence[str],
        *,
        sharpness: float = 1.0,
        instruction: str = "",
        verbalizer: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(model, tokenizer, instruction)
        self.labels, self.sharpness = tuple(labels), sharpness
        written = [(verbalizer or {}).get(label, label) for label in labels]
        # What a state has read, later tokens can't be kept from seeing (Mamba, and hybrids like Qwen3.5).
        self._scored = by_paths if getattr(model, "_is_stateful", False) else by_tree
        try:
            self.trie = Trie.of([self.template.answer(text) for text in written])
        except ValueError as error:
            raise StoreError(f"labels can't be told apart: {error}; write one of them otherwise") from error

    def probabilities(self, texts: Sequence[str]) -> Matrix:
        """Calibrated probabilities, shape (len(texts), len(labels))."""
        return softmax(self.log_probabilities(texts) * np.float32(self.sharpness))

    def log_probabilities(self, texts: Sequence[str]) -> Matrix:
        """Before the temperature, shape (len(texts), len(labels)); exact."""
        torch, _ = checkpoint.libraries()
        room = max(1, self._context - int(self.trie.depths.max()))
        prompts = [self.template.prompt([{"role": "user", "content": t}], room) for t in texts]
        found = np.zeros((len(texts), len(self.labels)), np.float32)
        nodes = len(self.trie.tokens)
        most = LOGITS // (nodes * self.model.config.get_text_config().vocab_size)
        for batch in batches(prompts, nodes - 1, most):
            with self.lock, torch.inference_mode():
                chosen = self._scored(
                    self.model, self.trie, [prompts[i] for i in batch], self.tokenizer.pad_token_id
                )
            found[batch] = self.trie.log_probabilities(chosen)
        return found


def opened(place: Path, *, folder: Path, hubs: Collection[str] = ()) -> Generator:
    """A generator that was kept; `folder` is where a relative path of its base begins;
    `hubs` are the bases that may be fetched (checkpoint.local).
    Raises StoreError when it was changed on disk, has no weights, or its base is another one than it was
    taught on, and MissingExtra.
    """
    said = artefact.manifest(place)
    base, adapter = said.get("base") or {}, place / ADAPTER
    outside = "path" in base or "hub" in base
    weights = checkpoint.local(base, folder, hubs) if outside else _inside(place)
    model, tokenizer = checkpoint.loaded(weights, adapter if adapter.is_dir() else None)
    tokenizer.chat_template = said.get("template") or tokenizer.chat_template
    if not said.get("labels"):
        return Generator(model, tokenizer, said.get("instruction", ""))
    return LabellingGenerator(
        model,
        tokenizer,
        said["labels"],
        sharpness=said.get("sharpness", 1.0),
        instruction=said.get("instruction", ""),
        verbalizer=said.get("verbalizer"),
    )


def _inside(place: Path) -> Path:
    """Where the weights of an artefact lie that names none outside of it."""
    weights = place / CHECKPOINT
    if not (weights / "config.json").is_file():
        raise StoreError(
            f"the model has no weights: there is no checkpoint in {weights}, and its manifest names no base "
            "outside of it"
        )
    return weights


def batches(prompts: Sequence[list[int]], more: int, most: int) -> Iterator[list[int]]:
    """Places of prompts of like length, at most `most` and, with `more` tokens each, at most `TOGETHER`."""
    order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
    while order:
        size = max(1, min(most, TOGETHER // (len(prompts[order[0]]) + more)))
        yield order[:size]
        order = order[size:]
