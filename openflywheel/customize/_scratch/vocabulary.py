"""A tokenizer of the domain's own words: byte-level BPE, learned from the lesson."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

PAD, END = "<|pad|>", "<|end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
LEAST_PEOPLE = 3  # whoever reads the tokenizer can't tell of whom a word is
WORDS = pre_tokenizers.ByteLevel(add_prefix_space=True)
LABELS = 2 + len(ROLES)  # the first token that stands for a label, where there are any
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def learned(said: Iterable[tuple[str, str]], size: int, labels: Sequence[str] = ()) -> Any:
    """A tokenizer with at most `size` tokens (256 bytes among them) and one more for each label.

    `said` are texts, each after the person whose row it is. A token is a part of a word that `LEAST_PEOPLE`
    or more have used: a name in one person's rows stays a row of letters. With labels it reads everything in
    lower case, which spares rows; a tokenizer that writes keeps the case.
    """
    made = Tokenizer(models.BPE())
    if labels:
        made.normalizer = normalizers.Lowercase()
    made.decoder = decoders.ByteLevel()
    shared = _shared((person, text.lower() if labels else text) for person, text in said)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # each word is whole already
    special = [PAD, END, *ROLES, *map(written, labels)]
    trainer = trainers.BpeTrainer(
        vocab_size=size + len(special),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(shared, trainer)
    made.pre_tokenizer = WORDS
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, chat_template=TEMPLATE
    )


def _shared(said: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The words that enough people have used, as often as they did."""
    people, often = defaultdict[str, set[str]](set), Counter[str]()
    for person, text in said:
        for word, _ in WORDS.pre_tokenize_str(text):
            often[word] += 1
            if len(people[word]) < LEAST_PEOPLE:
                people[word].add(person)
    decoder = decoders.ByteLevel()
    for word, times in often.items():
        if len(people[word]) == LEAST_PEOPLE:
            yield from repeat(decoder.decode([word]), times)


def written(label: str) -> str:
    """A label as the one token that stands for it; a person's text can't hold it (base's Template)."""
    return f"<|label:{label}|>"
