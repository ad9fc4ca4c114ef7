"""MultiDoGO (Peskov et al. 2019): customers' messages with what an agent reads in each; and a small Qwen3.

No conversation is in two of its official parts. Slots stand word by word: "O O departure_city".
"""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from openflywheel.base.nouns import Row as Example

DOMAINS = ("airline", "insurance", "media", "software")
TASK, WORDS, WINDOW = "reading", 2_048, 64
SPECIAL = ["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
Conversation = list[tuple[str, str]]  # what was said, and its reading


def conversations(data: Path, part: str, each: int) -> list[Conversation]:
    """The first conversations of a part, `each` of every domain."""
    return [c for domain in DOMAINS for c in _of(data / "multidogo" / domain / f"{part}.tsv", each)]


def _of(path: Path, each: int) -> Iterator[Conversation]:
    with path.open(encoding="utf-8", newline="") as lines:
        turns = [t for t in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if t["intent"]]
    groups = groupby(turns, key=lambda turn: turn["conversationId"])
    for _, (_, group) in zip(range(each), groups, strict=False):
        yield [(turn["utterance"].strip(), _reading(turn)) for turn in group]


def _reading(turn: dict[str, str]) -> str:
    """The intent and what was said about it: "bookflight; departure_city: mumbai"."""
    words = zip(turn["utterance"].split(), turn["slot-labels"].split(), strict=False)
    slots = [
        f"{name}: {' '.join(w for w, _ in run)}"
        for name, run in groupby(words, key=lambda w: w[1])
        if name != "O"
    ]
    return "; ".join([turn["intent"], *slots])


def examples(found: Sequence[Conversation]) -> list[Example]:
    """A row a message: the conversation up to there, with the readings so far, and what is right."""
    return [
        Example(
            text=turns[i][0],
            source="multidogo",
            labels={TASK: turns[i][1]},
            meta={"chat": json.dumps(_chat(turns[: i + 1]))},
        )
        for turns in found
        for i in range(len(turns))
    ]


def _chat(turns: Conversation) -> list[dict[str, str]]:
    messages = [
        message
        for said, reading in turns
        for message in ({"role": "user", "content": said}, {"role": "assistant", "content": reading})
    ]
    return messages[:-1]


def small(folder: Path, found: Sequence[Conversation], steps: int, seed: int) -> Path:
    """A Qwen3 of 2.4 million parameters that has read what customers say, without any reading of it."""
    import torch  # noqa: PLC0415  other parts do without

    tokenizer = _tokenizer([said for turns in found for said, _ in turns])
    said = "".join(f"<|user|>{said}<|end|>" for turns in found for said, _ in turns)
    stream = np.array(tokenizer(said, add_special_tokens=False)["input_ids"])
    torch.manual_seed(seed)
    model = _qwen3(len(tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    falling = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    random = np.random.default_rng(seed)
    for _ in range(steps):
        starts = random.integers(0, len(stream) - WINDOW, 16)
        batch = torch.from_numpy(np.stack([stream[s : s + WINDOW] for s in starts]))
        model(input_ids=batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        falling.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _qwen3(vocabulary: int) -> Any:
    from transformers import AutoModelForCausalLM, Qwen3Config  # noqa: PLC0415

    return AutoModelForCausalLM.from_config(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=192,
            intermediate_size=512,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=48,
            max_position_embeddings=512,
            pad_token_id=0,
            eos_token_id=1,
            bos_token_id=None,
        )
    )


def _tokenizer(texts: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=WORDS,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<|pad|>", eos_token="<|end|>")
    fast.chat_template = TEMPLATE
    return fast
