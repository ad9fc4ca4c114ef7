"""A tokenizer of the domain's own words: byte-level BPE, learned from the lesson."""

from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PAD, END = "<|pad|>", "<|end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
LABELS = 2 + len(ROLES)  # the first token that stands for a label, where there are any
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def learned(texts: Iterable[str], size: int, labels: Sequence[str] = ()) -> Any:
    """A tokenizer with about `size` tokens (256 bytes among them) and one more for each label.

    With labels it reads everything in lower case, which spares rows; a tokenizer that writes keeps the case.
    """
    made = Tokenizer(models.BPE())
    if labels:
        made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=True), decoders.ByteLevel()
    special = [PAD, END, *ROLES, *map(written, labels)]
    trainer = trainers.BpeTrainer(
        vocab_size=size + len(special),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, chat_template=TEMPLATE
    )


def written(label: str) -> str:
    """A label as the one token that stands for it; a person's text can't hold it (base's Template)."""
    return f"<|label:{label}|>"
