"""Models that transformers runs, behind OpenAI's API."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments import artefact
from openflywheel.serve._generators.champion import Champion
from openflywheel.serve._generators.host_transformers import Hosting
from openflywheel.serve.generators import Generator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing"),
]


@pytest.fixture(scope="module")
def kept(llama, tmp_path_factory) -> Champion:
    """The tiny model as an artefact."""
    files = {f"adapter/{file.name}": file for file in (llama.place / "adapter").iterdir()}
    files = {name: file for name, file in files.items() if file.suffix in (".json", ".safetensors")}
    manifest = {"form": "generator", "task": "answer", "base": llama.champion().base}
    place = artefact.keep(tmp_path_factory.mktemp("models"), manifest, files=files)
    return Champion.of("m1", place, artefact.manifest(place))


@pytest.fixture
def hosting(tmp_path: Path) -> Iterator[Hosting]:
    hosting = Hosting(Generator(), tmp_path, tmp_path)
    yield hosting
    hosting.close()


@pytest.fixture
def client(hosting, kept) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=hosting.load(kept), api_key="none", max_retries=0) as client:
        yield client


def test_it_answers_as_the_model_does(client, llama):
    said = client.chat.completions.create(model="m1", messages=llama.chat, max_tokens=12)
    assert said.model == "m1"
    assert said.choices[0].message.content == llama.adapted.strip()


def test_as_a_stream(client, llama):
    with client.chat.completions.create(
        model="m1", messages=llama.chat, max_tokens=12, stream=True
    ) as stream:
        said = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert said == llama.adapted.strip()


def test_loading_again_changes_nothing_and_unloading_twice_neither(hosting, kept, client, llama):
    assert hosting.load(kept) == str(client.base_url).rstrip("/")
    hosting.unload(kept)
    hosting.unload(kept)
    with pytest.raises(openai.NotFoundError, match="there is no model 'm1'"):
        client.chat.completions.create(model="m1", messages=llama.chat)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "reads texts"),
        ({"n": 2}, "n = 2"),
        ({"model": None}, "model"),
    ],
)
def test_what_it_cannot_answer(client, llama, said, why):
    body = {"model": "m1", "messages": llama.chat} | said
    answer = httpx2.post(f"{client.base_url}chat/completions", json=body)
    assert answer.status_code == 400
    assert why in answer.json()["error"]["message"]


def test_a_model_that_was_changed(hosting, kept, tmp_path):
    with pytest.raises(StoreError, match="no model in"):
        hosting.load(Champion("m2", tmp_path, kept.base, True))
