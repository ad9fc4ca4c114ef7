"""Champions without weights for what only passes them on, real tiny ones for what reads them."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openflywheel.base.ids import content_id
from openflywheel.base.instruments.checkpoint import fingerprint
from openflywheel.serve._fake.server import Running, running
from openflywheel.serve._generators.champion import Champion

sys.path.append(str(Path(__file__).parents[2] / "customize"))  # tiny.py
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is downloaded by a test
CHAT = [{"role": "user", "content": "where is my parcel? I've waited 12 days"}]


@pytest.fixture
def vllm(monkeypatch) -> Iterator[Running]:
    """A fake vLLM that loads adapters."""
    monkeypatch.setenv("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "True")
    with running({"prices": {"tiny": {}}}) as fake:
        yield fake


@pytest.fixture
def named(tmp_path: Path) -> Callable[..., Champion]:
    """A champion whose adapter is an empty one."""

    def make(name: str, **more) -> Champion:
        place = tmp_path / "models" / name
        (place / "adapter").mkdir(parents=True, exist_ok=True)
        (place / "adapter" / "adapter_config.json").write_text("{}")
        fields = {"base": {"name": "tiny"}, "adapted": True} | more
        return Champion(content_id(name), place, **fields)

    return make


class Tiny:
    """A real checkpoint with an adapter, and what they say to `chat`: the likeliest 12 tokens."""

    chat = CHAT

    def __init__(self, kind: str, folder: Path) -> None:
        import torch
        from peft import LoraConfig, get_peft_model
        from tiny import tiny
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(1)
        self.kind, self.base, self.place = kind, tiny(folder / "base", kind), folder / "model"
        tokenizer = AutoTokenizer.from_pretrained(self.base)
        ids = tokenizer.apply_chat_template(CHAT, add_generation_prompt=True, return_tensors="pt")[
            "input_ids"
        ]
        model = AutoModelForCausalLM.from_pretrained(self.base)

        def says(model) -> str:
            with torch.no_grad():
                out = model.generate(ids, max_new_tokens=12, do_sample=False)
            return tokenizer.decode(out[0][ids.shape[1] :], skip_special_tokens=True)

        self.plain = says(model)
        torch.manual_seed(3)
        adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear"))
        for name, values in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(values, std=0.3)
        adapted.save_pretrained(self.place / "adapter")
        self.adapted = says(adapted)

    def champion(self, *, adapted: bool = True) -> Champion:
        base = {"name": self.kind, "path": str(self.base), "sha256": fingerprint(self.base)}
        return Champion(content_id(self.kind, str(adapted)), self.place, base, adapted)


@pytest.fixture(scope="session", params=["llama", "qwen3"])
def tiny(request, tmp_path_factory) -> Tiny:
    return Tiny(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def llama(tmp_path_factory) -> Tiny:
    return Tiny("llama", tmp_path_factory.mktemp("one"))


@pytest.fixture
def write() -> Callable[[Path, dict], Path]:
    """A file of JSON."""

    def write(path: Path, said: dict) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(said))
        return path

    return write
