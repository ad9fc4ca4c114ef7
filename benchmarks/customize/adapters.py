"""A small Qwen3 with random weights, and adapters for it: real files, made in seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openflywheel.base.instruments import artefact, checkpoint

WIDTH, LAYERS, HEADS, RANK = 128, 6, 4, 8
SPECIAL = ["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TEXTS = ("where is my parcel? it is on its way.", "cancel my order, please. your order was cancelled.")


class Adapters:
    """`number` adapters of one base, made under `folder`."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number, self._folder = number, folder
        base = made(folder / "base")
        self._base = {"name": "tiny", "path": str(base.absolute()), "sha256": checkpoint.fingerprint(base)}
        for each in range(number):
            _adapter(base, folder / f"adapter-{each}", each)

    def keep(self, models: Path, task: str, number: int) -> Path:
        """One of them as an artefact."""
        files = {
            f"adapter/{file.name}": file
            for file in (self._folder / f"adapter-{number}").iterdir()
            if file.suffix in (".json", ".safetensors")
        }
        said = {"form": "generator", "task": task, "kind": "text", "method": "lora", "base": self._base}
        return artefact.keep(models, said, files=dict(files))


def made(folder: Path) -> Path:
    """The base: 1.5 million parameters."""
    import torch  # noqa: PLC0415  other parts do without
    from transformers import AutoModelForCausalLM, Qwen3Config  # noqa: PLC0415

    tokenizer = _tokenizer(TEXTS)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS // 2,
        head_dim=WIDTH // HEADS,
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(texts: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1_000, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token=SPECIAL[0], eos_token=SPECIAL[1])
    fast.chat_template = TEMPLATE
    return fast


def _adapter(base: Path, folder: Path, seed: int) -> None:
    import torch  # noqa: PLC0415
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    torch.manual_seed(seed)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(r=RANK, target_modules="all-linear", init_lora_weights=False),
    )
    model.save_pretrained(folder)
