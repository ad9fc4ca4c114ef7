"""Checkpoints of causal language models on disk: found, known by the hash of their weights, opened safely.

Only safetensors are read, and no code of a checkpoint's own is ever run.
"""

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openflywheel.base.errors import MissingExtra, StoreError

WEIGHTS, CONTENTS = "*.safetensors", ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model")


def libraries() -> tuple[Any, Any]:
    """torch and transformers. Raises MissingExtra; importing them takes seconds, so it is done when asked."""
    try:
        import torch  # noqa: PLC0415
        import transformers  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"a language model in this process needs {error.name!r}: pip install 'openflywheel[lora]'"
        ) from error
    return torch, transformers


def local(base: Mapping[str, str], folder: Path) -> Path:
    """Where the weights of a manifest's `base` lie: its "path" (relative to `folder`), or its "hub" id.

    Raises StoreError when there are none, or other ones than its "sha256" says.
    """
    place = folder / Path(base["path"]).expanduser() if "path" in base else downloaded(base["hub"])
    found = fingerprint(place)
    if found != base["sha256"]:
        raise StoreError(
            f"the weights of {base['name']} in {place} are other ones than the model was taught on: sha256 "
            f"{found[:12]} instead of {base['sha256'][:12]}; put the old ones back or teach a new model"
        )
    return place


def downloaded(hub: str) -> Path:
    """A checkpoint of the Hugging Face hub, from its local cache where it is there. Raises StoreError."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415  .1 s

    try:
        return Path(snapshot_download(hub, allow_patterns=list(CONTENTS)))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the checkpoint {hub!r} cannot be had from the Hugging Face hub: {error}"
        ) from error


def fingerprint(place: Path) -> str:
    """The sha256 of a checkpoint's weights: of the one file, or of the digests of several by name.

    Raises StoreError when there are no safetensors.
    """
    files = sorted(place.glob(WEIGHTS))
    if not files:
        raise StoreError(f"there is no checkpoint in {place}: weights as {WEIGHTS} are expected")
    digests = [_sha256(file) for file in files]
    if len(files) == 1:
        return digests[0]
    listed = "".join(f"{digest}  {file.name}\n" for digest, file in zip(digests, files, strict=True))
    return hashlib.sha256(listed.encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def loaded(place: Path, adapter: Path | None = None) -> tuple[Any, Any]:
    """Model, in evaluation mode, and tokenizer, of a checkpoint with a peft adapter merged into it.

    In bfloat16 on CUDA where there is one, else in float32. Raises MissingExtra.
    """
    torch, transformers = libraries()
    with _quiet(transformers):
        return _opened(torch, transformers, place, adapter)


def _opened(torch: Any, transformers: Any, place: Path, adapter: Path | None) -> tuple[Any, Any]:
    cuda = torch.cuda.is_available()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        place,
        dtype=torch.bfloat16 if cuda else torch.float32,
        attn_implementation="sdpa",
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    if adapter is not None:
        model = _merged(model, adapter)
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        place, trust_remote_code=False, local_files_only=True, padding_side="left"
    )
    return model.to("cuda" if cuda else "cpu").eval(), tokenizer


def _merged(model: Any, adapter: Path) -> Any:
    return _peft().from_pretrained(model, adapter).merge_and_unload()


def beside(model: Any, adapters: Mapping[str, Path]) -> Any:
    """A model with several peft adapters by their names; `set_adapter` chooses. Raises MissingExtra."""
    _, transformers = libraries()
    (first, place), *more = adapters.items()
    with _quiet(transformers):
        made = _peft().from_pretrained(model, place, adapter_name=first)
        for name, other in more:
            made.load_adapter(other, name)
    return made.eval()


def _peft() -> Any:
    try:
        from peft import PeftModel  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra(f"an adapter needs {error.name!r}: pip install 'openflywheel[lora]'") from error
    return PeftModel


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Within the block transformers shows no bars, and peft does not warn of how it uses transformers."""
    shown = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`.*` is deprecated and will be removed in v6", FutureWarning)
            yield
    finally:
        if shown:
            transformers.utils.logging.enable_progress_bar()
