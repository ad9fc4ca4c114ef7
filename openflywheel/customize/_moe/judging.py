"""What is measured of a model on rows that did not teach: its loss, and how evenly experts work."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from openflywheel.customize._tuning.chats import Example


@torch.inference_mode()  # type: ignore[untyped-decorator]
def losses(network: Any, examples: Iterable[Example]) -> tuple[float, int]:
    """The sum of -log p, in nats, over the answers' tokens, and how many there are."""
    total, counted = 0.0, 0
    for example in examples:
        ids = torch.tensor([example.tokens], device=network.device)
        logits = network(input_ids=ids).logits[0, example.start - 1 : -1].float()
        total += float(torch.nn.functional.cross_entropy(logits, ids[0, example.start :], reduction="sum"))
        counted += len(example.answer)
    return total, counted


@torch.inference_mode()  # type: ignore[untyped-decorator]
def shares(network: Any, examples: Sequence[Example]) -> NDArray[np.float64]:
    """The share of the work that each expert of each layer did, shape (layers, experts); rows sum to 1."""
    experts, active = network.config.num_local_experts, network.config.num_experts_per_tok
    found = np.zeros((network.config.num_hidden_layers, experts))
    for example in examples:
        ids = torch.tensor([example.tokens], device=network.device)
        routed = network(input_ids=ids, output_router_logits=True).router_logits
        for layer, logits in enumerate(routed):
            found[layer] += np.bincount(
                logits.topk(active).indices.flatten().cpu().numpy(), minlength=experts
            )
    whole: NDArray[np.float64] = found / found.sum(axis=1, keepdims=True)
    return whole


def sizes(network: Any) -> dict[str, float]:
    """All parameters of a mixture, and those that work on one token."""
    config = network.config
    resting = 1 - config.num_experts_per_tok / config.num_local_experts
    of_experts = sum(p.numel() for name, p in network.named_parameters() if ".experts." in name)
    return {
        "parameters": float(network.num_parameters()),
        "active_parameters": float(round(network.num_parameters() - resting * of_experts)),
    }
