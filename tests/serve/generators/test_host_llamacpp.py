"""Real llama.cpp with real tiny models, against transformers."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.serve._generators.champion import NotLoaded
from openflywheel.serve._generators.host_llamacpp import Hosting
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
    assert len(list((tmp_path / "made").iterdir())) == 2  # the base was converted once


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


def test_a_gguf_file_of_ones_own(hosting, llama, tmp_path):
    hosting().load(llama.champion(adapted=False))
    [base] = (tmp_path / "made").iterdir()
    base.rename(tmp_path / "mine.gguf")
    champion = llama.champion()
    text, _ = ask(hosting(gguf="mine.gguf").load(champion), llama, champion.id)
    assert same(text, llama.adapted)
    assert [file.name for file in (tmp_path / "made").iterdir()] == [f"{champion.id}-adapter.gguf"]


def test_what_cannot_be_converted_leaves_nothing_behind(hosting, llama, tmp_path):
    champion = llama.champion()
    empty = type(champion)("empty", tmp_path, champion.base, True)
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "r": 4, "lora_alpha": 8}'
    )
    with pytest.raises(StoreError, match="no weights"):
        hosting().load(empty)
    assert [file.stem for file in (tmp_path / "made").iterdir()] == [champion.base["sha256"]]


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
