"""Checkpoints of causal language models on disk: found, known by the hash of their files, opened safely.

Only safetensors are read, and no code of a checkpoint's own is ever run. A manifest names nothing that is
fetched: it may be a stranger's.
"""

import hashlib
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openflywheel.base.errors import MissingExtra, StoreError

WEIGHTS, CONTENTS = "*.safetensors", ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model")
CONFIG = (  # what a checkpoint reads and says depends on these as well
    "config.json", "generation_config.json", "tokenizer*", "vocab.*", "merges.txt", "*.model",
    "special_tokens_map.json", "added_tokens.json", "chat_template*",
)  # fmt: skip
COMMIT = re.compile("[0-9a-f]{40}")


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


def local(base: Mapping[str, str], folder: Path, hubs: Collection[str] = ()) -> Path:
    """Where the checkpoint of a manifest's `base` lies: its "path" (relative to `folder`), or its "hub" id.

    One of the hub is taken from the local cache, at the commit "revision" if the manifest has one; fetched is
    one of `hubs` alone, which flywheel.yaml names. Raises StoreError when there is none, when its weights are
    other ones than "sha256" says, or its configuration, tokenizer or chat template than "config_sha256" does.
    """
    if "path" in base:
        return _same(folder / Path(base["path"]).expanduser(), base)
    revision = base.get("revision", "")
    if revision and not COMMIT.fullmatch(revision):
        raise StoreError(
            f"{base['name']} at {revision!r}, which is no commit, cannot be opened; teach it anew"
        )
    try:
        return _same(_cached(base["hub"], revision), base)
    except StoreError:  # it is not there, or not all of it
        if base["hub"] not in hubs:
            raise
    return _same(downloaded(base["hub"], revision), base)


def _same(place: Path, base: Mapping[str, str]) -> Path:
    """The same place, if the model was taught on what lies there."""
    found = {"weights": (fingerprint(place), base["sha256"])}
    if "config_sha256" in base:  # models of before it have none
        told = config_fingerprint(place), base["config_sha256"]
        found["configuration, tokenizer or chat template"] = told
    for what, (now, known) in found.items():
        if now != known:
            raise StoreError(
                f"the {what} of {base['name']} in {place} are other ones than the model was taught on: "
                f"sha256 {now[:12]} instead of {known[:12]}; put the old ones back or teach a new model"
            )
    return place


def _cached(hub: str, revision: str) -> Path:
    try:
        return downloaded(hub, revision, cached=True)
    except StoreError as error:
        at = f" --revision {revision}" if revision else ""
        raise StoreError(
            f"the model was taught on {hub!r}, which is not in the local cache of the Hugging Face hub; as "
            f"its manifest may be a stranger's, say that you want it: hf download {hub}{at}  (or name it in "
            f"flywheel.yaml,  serve: {{generators: {{own: {{base: {hub}}}}}}})"
        ) from error


def downloaded(hub: str, revision: str = "", *, cached: bool = False) -> Path:
    """A checkpoint of the Hugging Face hub, from its local cache where it is there.

    The newest one, or that of the commit `revision`; with `cached` nobody is asked. Raises StoreError, and
    MissingExtra.
    """
    try:
        from huggingface_hub import snapshot_download  # noqa: PLC0415  .1 s
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"a checkpoint of the Hugging Face hub needs {error.name!r}: pip install 'openflywheel[lora]'"
        ) from error
    patterns, at = list(CONTENTS), revision or None
    try:
        return Path(snapshot_download(hub, revision=at, allow_patterns=patterns, local_files_only=cached))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the checkpoint {hub!r} cannot be had from the Hugging Face hub: {error}"
        ) from error


def revision(place: Path) -> str:
    """The commit of a checkpoint that was `downloaded`: its folder has that name."""
    return place.name if COMMIT.fullmatch(place.name) else ""


def fingerprint(place: Path) -> str:
    """The sha256 of a checkpoint's weights: of the one file, or of the digests of several by name.

    Raises StoreError when there are no safetensors.
    """
    files = sorted(place.glob(WEIGHTS))
    if not files:
        raise StoreError(f"there is no checkpoint in {place}: weights as {WEIGHTS} are expected")
    return _sha256(files[0]) if len(files) == 1 else _listed(files)


def config_fingerprint(place: Path) -> str:
    """The sha256 of the digests, by name, of a checkpoint's configuration, tokenizer and chat template."""
    return _listed(sorted({file for pattern in CONFIG for file in place.glob(pattern) if file.is_file()}))


def _listed(files: Iterable[Path]) -> str:
    listed = "".join(f"{_sha256(file)}  {file.name}\n" for file in files)
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
