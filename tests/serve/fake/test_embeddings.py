from base64 import b64decode
from math import fsum, isclose
from struct import unpack

import openai
import pytest

from openflywheel.serve._fake.embeddings import vector


def embed(client, input, **more):
    return client.embeddings.create(model="fake-embedding", input=input, **more)


def length(numbers):
    return fsum(number * number for number in numbers)


def test_a_vector_is_a_unit_vector_that_depends_on_model_and_text():
    assert isclose(length(vector("m", "text")), 1)
    assert vector("m", "text") == vector("m", "text")
    assert len({tuple(vector(m, t)) for m in ("a", "b") for t in ("c", "d")}) == 4


def test_vectors_of_different_texts_are_nearly_orthogonal():
    one, other = vector("m", "one"), vector("m", "other")
    assert abs(fsum(a * b for a, b in zip(one, other, strict=True))) < 0.15  # 6 standard deviations


@pytest.mark.parametrize("form", ["float", "base64", None])
def test_each_encoding_gives_the_same_numbers(client, form):
    said = embed(client, "hello", **({"encoding_format": form} if form else {})).data[0].embedding
    numbers = unpack(f"<{1536}f", b64decode(said)) if isinstance(said, str) else said
    assert len(numbers) == 1536
    assert all(
        isclose(a, b, abs_tol=1e-6) for a, b in zip(numbers, vector("fake-embedding", "hello"), strict=True)
    )


def test_base64_is_what_the_wire_carries_when_asked(http):
    body = {"model": "m", "input": "x", "encoding_format": "base64", "dimensions": 2}
    [item] = http.post("/v1/embeddings", json=body).json()["data"]
    assert len(b64decode(item["embedding"])) == 8
    [plain] = http.post("/v1/embeddings", json={"model": "m", "input": "x"}).json()["data"]
    assert isinstance(plain["embedding"], list)


def test_several_inputs_keep_their_order(client):
    said = embed(client, ["a", "b", "a"], dimensions=8)
    assert [item.index for item in said.data] == [0, 1, 2]
    assert said.data[0].embedding == said.data[2].embedding != said.data[1].embedding
    assert {len(item.embedding) for item in said.data} == {8}


@pytest.mark.parametrize(
    ("input", "count", "tokens"),
    [("12345", 1, 2), (["1", "2345"], 2, 2), ([1, 2, 3], 1, 3), ([[1, 2], [3]], 2, 3), ([""], 1, 0)],
)
def test_texts_and_token_ids_are_counted(client, input, count, tokens):
    said = embed(client, input, dimensions=4)
    assert len(said.data) == count
    assert said.usage.prompt_tokens == said.usage.total_tokens == tokens
    assert all(isclose(length(item.embedding), 1, rel_tol=1e-5) for item in said.data)


def test_only_the_input_is_billed(fake, client):
    embed(client, "12345678", dimensions=4)
    [cost] = fake.bill().models
    assert (cost.input_tokens, cost.output_tokens) == (2, 0)


@pytest.mark.parametrize(
    "more", [{"input": []}, {"input": [1, "a"]}, {"input": 3}, {"input": "a", "encoding_format": "hex"}, {}]
)
def test_a_wrong_request_is_refused(http, more):
    response = http.post("/v1/embeddings", json={"model": "m", **more})
    assert response.status_code == 400
    assert response.json()["error"]["param"] in ("input", "encoding_format")


def test_the_sdk_raises_for_too_wide_a_vector(client):
    with pytest.raises(openai.BadRequestError) as caught:
        embed(client, "a", dimensions=5000)
    assert caught.value.param == "dimensions"
