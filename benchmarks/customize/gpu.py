"""A LoRA step of a billion parameters on CUDA: tokens a second, and the share of what matrices reach.

Llama of 1.2 billion parameters (the shape of Llama 3.2 1B) with random weights in bf16, LoRA of rank 16 on
all linear layers, batches of 8 rows of 1,024 tokens, torch's fused attention. The frozen weights take no
gradient of their own: a token costs 4 operations a parameter (forward and the gradient of activations; Kaplan
et al. 2020, arXiv 2001.08361, count 6 with that of the weights), and attention's beside. The ceiling is
measured on the same device: the best of some products of square bf16 matrices.
"""

import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.report import Row, at_least

ROWS, TOKENS, STEPS, WARM = 8, 1_024, 12, 4
SHAPE = {
    "vocab_size": 128_256, "hidden_size": 2_048, "intermediate_size": 8_192, "num_hidden_layers": 16,
    "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": TOKENS,
    "tie_word_embeddings": True,
}  # fmt: skip
CEILING, LEAST = 8_192, 0.4
WHAT = "LoRA step, 1.2 B parameters in bf16: share of the matrix ceiling"


def measure(data: Path, folder: Path, rounds: int) -> list[Row]:
    """Tokens and operations a second, and their share of the ceiling; says so where there is no CUDA."""
    del data, folder
    if not torch.cuda.is_available():
        return [Row(row=f"{WHAT}: no CUDA here", value=None, unit="share", bar=f">= {LEAST:g}")]
    model, size = _model()
    ceiling = max(_ceiling() for _ in range(rounds))
    seconds = min(_step_seconds(model) for _ in range(rounds))
    tokens = ROWS * TOKENS / seconds
    reached = tokens * operations(size)
    return [
        at_least(WHAT, reached / ceiling, LEAST, "share"),
        Row(row="tokens a second", value=tokens, unit=""),
        Row(
            row="reached; ceiling of matrices", value=reached / 1e12, unit=f"of {ceiling / 1e12:.0f} Tflop/s"
        ),
        Row(row="memory at most", value=torch.cuda.max_memory_allocated() / 2**30, unit="GiB"),
    ]


def operations(size: int) -> float:
    """Of one token in one step: 4 a parameter, and 8 a layer, width and half the context for attention."""
    attention = 8 * SHAPE["num_hidden_layers"] * SHAPE["hidden_size"] * TOKENS / 2
    return 4.0 * size + attention


def _model() -> tuple[Any, int]:
    """The model with its adapter on the device, and how many parameters multiply."""
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415
    from transformers import LlamaConfig, LlamaForCausalLM  # noqa: PLC0415

    with torch.device("cuda"):
        base = LlamaForCausalLM(LlamaConfig(**SHAPE, attn_implementation="sdpa")).to(torch.bfloat16)
    size = sum(p.numel() for p in base.parameters())
    return get_peft_model(base, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear")), size


def _step_seconds(model: Any) -> float:
    """The mean of the steps after the first ones."""
    batch = torch.randint(SHAPE["vocab_size"], (ROWS, TOKENS), device="cuda")
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=True)
    for step in range(WARM + STEPS):
        if step == WARM:
            torch.cuda.synchronize()
            start = time.perf_counter()
        model(input_ids=batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / STEPS


def _ceiling() -> float:
    """Operations a second of a product of square matrices in bf16."""
    a, b = (torch.randn(CEILING, CEILING, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(WARM):
        a @ b
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(STEPS):
        a @ b
    torch.cuda.synchronize()
    return 2 * CEILING**3 * STEPS / (time.perf_counter() - start)
