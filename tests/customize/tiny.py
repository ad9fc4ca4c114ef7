"""Real checkpoints, made in about a second: random weights, a trained tokenizer, a chat template."""

from collections.abc import Sequence
from pathlib import Path

WIDTH, LAYERS, HEADS, VOCABULARY = 64, 2, 4, 512
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
TEXTS = (
    "where is my parcel? it is on its way.",
    "cancel my order, please. your order was cancelled.",
    "how do i reset my password? ask for a link.",
    "the invoice is wrong. we have corrected the invoice.",
)


def tiny(folder: Path, kind: str = "llama", *, texts: Sequence[str] = TEXTS, seed: int = 0) -> Path:
    """A checkpoint of a causal language model: "llama", "qwen3" or "mixtral", some 150,000 parameters."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = _tokenizer(texts)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(_config(kind, len(tokenizer)))
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(texts: Sequence[str]):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
        ),
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<|pad|>", eos_token="<|end|>")
    fast.chat_template = TEMPLATE
    return fast


def _config(kind: str, vocabulary: int):
    from transformers import LlamaConfig, MixtralConfig, Qwen3Config

    shape = {
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS // 2,
        "max_position_embeddings": 256,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": None,
    }
    if kind == "llama":
        return LlamaConfig(**shape)
    if kind == "qwen3":
        return Qwen3Config(**shape, head_dim=WIDTH // HEADS)
    return MixtralConfig(**shape, num_local_experts=4, num_experts_per_tok=2)
