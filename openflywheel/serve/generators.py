"""Where the language models that the wheel has taught are served from."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from openflywheel.base.errors import SettingsError


class Generator(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place that can load models while it serves.

    `base`: the base that it serves, by the name, path or hub id that the trainer was given; any when empty.

    vllm: a vLLM at `url` (which ends with /v1, with `key`), started with --enable-lora and
    VLLM_ALLOW_RUNTIME_LORA_UPDATING=True. It reads adapters from disk: `folder` is where its machine sees the
    store's folder of models, when that is another path than here.
    llamacpp: llama.cpp in a process of our own; `gguf` is the base as a GGUF file, quantised as you like
    (otherwise the checkpoint is converted), `parallel` the requests that it answers at once, each within
    `context` tokens, with `threads` threads.
    transformers: transformers in a process of our own: slow, and without settings.
    """

    engine: Literal["vllm", "llamacpp", "transformers"] = "transformers"
    base: str = ""
    url: str = ""
    key: str = ""
    folder: str = ""
    gguf: str = ""
    parallel: int = 4
    context: int = 4096
    threads: int = 2


ONLY: Mapping[str, str] = {"url": "vllm", "key": "vllm", "folder": "vllm", "gguf": "llamacpp"}
DEFAULT: Mapping[str, Generator] = {"own": Generator()}


def generators(**named: Generator) -> Mapping[str, Generator]:
    """Generators under names of your own: `gpu: {engine: vllm, url: http://127.0.0.1:8000/v1}`.

    The champion of a text task goes to the first one that serves its base and can load it. Without any,
    transformers serve it in a process of our own. Raises SettingsError.
    """
    for name, one in named.items():
        _check(f"serve.generators: {name}", one)
    return named or DEFAULT


def _check(where: str, one: Generator) -> None:
    if one.engine == "vllm" and not one.url.startswith(("http://", "https://")):
        raise SettingsError(
            f"{where}: url = {one.url!r} is no address of a vLLM; write http:// or https://, and end with /v1"
        )
    for name, engine in ONLY.items():
        if getattr(one, name) and one.engine != engine:
            raise SettingsError(f"{where}: {name} is a setting of the engine {engine}, not of {one.engine}")
    for name in ("parallel", "context", "threads"):
        if getattr(one, name) < 1:
            raise SettingsError(f"{where}: {name} = {getattr(one, name)}; one is the least")
