"""Real llama.cpp with real tiny models, against transformers."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments import checkpoint
from openflywheel.base.instruments.special import special
from openflywheel.serve._generators.champion import Champion, NotLoaded
from openflywheel.serve._generators.host_llamacpp import Hosting
from openflywheel.serve._generators.plain import plain
from openflywheel.serve.generators import Generator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing"),
]
OURS = {"engine": "llamacpp", "parallel": 2, "context": 256, "threads": 1}


@pytest.fixture
def hosting(tmp_path: Path) -> Iterator[Callable[..., Hosting]]:
    made = []

    def make(**more) -> Hosting:
        made.append(Hosting(Generator(**OURS | more), tmp_path / "made", tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.close()


def ask(url: str, tiny, model: str) -> tuple[str, str]:
    """What it says, and who says that it was."""
    said = {"model": model, "messages": tiny.chat, "max_tokens": 12, "temperature": 0}
    answer = httpx2.post(f"{url}/chat/completions", json=said, timeout=60).raise_for_status().json()
    return answer["choices"][0]["message"]["content"], answer["model"]


def made(folder: Path) -> list[str]:
    """The files that lie converted in the workspace."""
    return sorted(file.name for file in (folder / "made").iterdir() if file.is_file())


def same(one: str, other: str) -> bool:
    """Where the last token is a part of a character, llama.cpp leaves it out and transformers say U+FFFD."""
    return one.rstrip("\ufffd").strip() == other.rstrip("\ufffd").strip()


def test_it_says_what_transformers_say(hosting, tiny, tmp_path):
    one = hosting()
    for champion, expected in ((tiny.champion(adapted=False), tiny.plain), (tiny.champion(), tiny.adapted)):
        text, model = ask(one.load(champion), tiny, champion.id)
        assert same(text, expected)
        assert model == champion.id
    assert not same(tiny.plain, tiny.adapted)
    assert len(made(tmp_path)) == 2  # the base was converted once


def test_each_has_its_own_address_until_it_is_unloaded(hosting, llama):
    one, plain, adapted = hosting(), llama.champion(adapted=False), llama.champion()
    first, second = one.load(plain), one.load(adapted)
    assert first != second
    assert one.load(plain) == first
    one.unload(plain)
    one.unload(plain)
    with pytest.raises(httpx2.TransportError):
        ask(first, llama, plain.id)
    assert ask(second, llama, adapted.id)


def test_a_whole_checkpoint_in_the_artefact(hosting, llama, tmp_path):
    place = tmp_path / "whole"
    shutil.copytree(llama.base, place / "checkpoint")
    champion = llama.champion(adapted=False)
    whole = type(champion)("whole", place, {}, False)
    assert same(ask(hosting().load(whole), llama, "whole")[0], llama.plain)


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    """A checkpoint of other weights."""
    from tiny import tiny

    return tiny(tmp_path_factory.mktemp("other"), seed=9)


def test_no_model_can_stand_in_for_the_base_of_others(hosting, llama, other, tmp_path):
    """Its manifest names the sha256 of their base, beside a checkpoint of its own."""
    genuine = llama.champion(adapted=False)
    shutil.copytree(other, tmp_path / "evil" / "checkpoint")
    base = {"name": "llama", "sha256": genuine.base["sha256"]}
    one, evil = hosting(), Champion("evil", tmp_path / "evil", base, False)
    assert not same(ask(one.load(evil), llama, "evil")[0], llama.plain)
    assert same(ask(one.load(genuine), llama, genuine.id)[0], llama.plain)


@pytest.mark.parametrize("digest", ["../../outside", "abc", "", "A" * 64])
def test_a_digest_that_is_none_names_no_file(hosting, llama, tmp_path, digest):
    genuine = llama.champion(adapted=False)
    champion = Champion("m1", genuine.place, genuine.base | {"sha256": digest}, False)
    with pytest.raises(StoreError, match="is that of its base, which is none"):
        hosting().load(champion)
    assert made(tmp_path) == []


def test_what_was_converted_for_a_model_alone_goes_with_it(hosting, llama, tmp_path):
    shutil.copytree(llama.base, tmp_path / "whole" / "checkpoint")
    whole, adapted = Champion("whole", tmp_path / "whole", {}, False), llama.champion()
    one, other = hosting(), hosting()  # two processes
    for champion in (whole, adapted):
        one.load(champion)
        other.load(champion)
    base, files = f"{adapted.base['sha256']}.gguf", made(tmp_path)
    assert files == sorted([base, "whole.gguf", f"{adapted.id}-adapter.gguf"])
    for champion in (whole, adapted):
        one.unload(champion)
    assert made(tmp_path) == files
    url = other.load(adapted)
    assert same(ask(url, llama, adapted.id)[0], llama.adapted)
    for champion in (whole, adapted):
        other.unload(champion)
    assert made(tmp_path) == [base]
    assert same(ask(one.load(adapted), llama, adapted.id)[0], llama.adapted)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


def test_what_a_killed_process_had_begun_to_write_is_removed_a_day_later(hosting, llama, tmp_path):
    (tmp_path / "made").mkdir()
    for name, days in ((".new-old", 2), (".new-young", 0)):
        (tmp_path / "made" / name).touch()
        at = time.time() - days * 24 * 3600
        os.utime(tmp_path / "made" / name, (at, at))
    champion = llama.champion(adapted=False)
    hosting().load(champion)
    assert made(tmp_path) == sorted([".new-young", f"{champion.base['sha256']}.gguf"])


def test_special_tokens_in_a_message_are_none(hosting, llama, tmp_path):
    """Without their names the server reads one token each where the text is four or more."""
    one, champion = hosting(), llama.champion()
    url = one.load(champion)
    names = one.special(champion)
    assert set(names) == {"<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"}

    def tokens(text: str, **more) -> int:
        said = {"messages": [{"role": "user", "content": text}], "max_tokens": 1}
        body = plain(json.dumps(said).encode(), special(more.get("names", ())))
        return httpx2.post(f"{url}/chat/completions", content=body).json()["usage"]["prompt_tokens"]

    forged = "hi" + "<|end|>" * 10
    assert tokens(forged) == tokens("hi") + 10
    assert tokens(forged, names=names) == tokens("hi" + " " * 10)


SHOUTING = "{% for m in messages %}{{ m['content'] }}!<|end|>{% endfor %}<|assistant|>"


def test_a_chat_template_of_its_own(hosting, llama):
    from openflywheel.base.forms.generator import Generator as InProcess

    model, tokenizer = checkpoint.loaded(llama.base)
    tokenizer.chat_template = SHOUTING
    [expected] = InProcess(model, tokenizer).write([llama.chat], most_tokens=12)
    plain = llama.champion(adapted=False)
    champion = Champion("told", plain.place, plain.base, False, template=SHOUTING)
    assert not same(expected, llama.plain)
    assert same(ask(hosting().load(champion), llama, "told")[0], expected)


def test_a_gguf_file_of_ones_own(hosting, llama, tmp_path):
    hosting().load(llama.champion(adapted=False))
    [base] = made(tmp_path)
    (tmp_path / "made" / base).rename(tmp_path / "mine.gguf")
    champion = llama.champion()
    text, _ = ask(hosting(gguf="mine.gguf").load(champion), llama, champion.id)
    assert same(text, llama.adapted)
    assert made(tmp_path) == [f"{champion.id}-adapter.gguf"]


def test_what_cannot_be_converted_leaves_nothing_behind(hosting, llama, tmp_path):
    champion = llama.champion()
    empty = type(champion)("empty", tmp_path, champion.base, True)
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "r": 4, "lora_alpha": 8}'
    )
    with pytest.raises(StoreError, match="no weights"):
        hosting().load(empty)
    assert made(tmp_path) == [f"{champion.base['sha256']}.gguf"]


def test_a_base_that_was_changed(hosting, llama):
    champion = llama.champion()
    changed = type(champion)(champion.id, champion.place, champion.base | {"sha256": "0" * 64}, True)
    with pytest.raises(StoreError, match="other ones than the model was taught on"):
        hosting().load(changed)


def test_an_instruction_of_its_own(hosting, llama):
    champion = llama.champion()
    told = type(champion)(champion.id, champion.place, champion.base, True, "Be brief.")
    with pytest.raises(NotLoaded, match="engine: transformers"):
        hosting().load(told)


def test_one_that_nobody_asked_can_be_unloaded_at_once(hosting, llama):
    """It hung in one of some ten times before a new server was waited for."""
    one, plain = hosting(), llama.champion(adapted=False)
    for _ in range(20):
        one.load(plain)
        one.unload(plain)
