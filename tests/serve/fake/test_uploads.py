"""Files, as the SDK and plain forms see them."""

import openai
import pytest

from openflywheel.serve._fake import uploads
from openflywheel.serve._fake.problem import Problem
from openflywheel.serve._fake.uploads import Uploads, form, page

LINES = b'{"messages": []}\n{"messages": []}\r\n\n'


def send(client, content=LINES, name="train.jsonl", purpose="fine-tune"):
    return client.files.create(file=(name, content), purpose=purpose)


def test_a_file_is_kept_byte_for_byte(client):
    sent = send(client)
    assert sent.id.startswith("file-")
    assert (sent.object, sent.bytes, sent.filename) == ("file", len(LINES), "train.jsonl")
    assert (sent.purpose, sent.status) == ("fine-tune", "processed")
    assert client.files.retrieve(sent.id) == sent
    assert client.files.content(sent.id).read() == LINES


@pytest.mark.parametrize(
    "content", [b"\r\n", b"--", b"\r\n--x\r\n", bytes(range(256)), "naïve 日本".encode()]
)
def test_whatever_a_file_holds_is_no_part_of_the_form(client, content):
    sent = send(client, content, name="a.bin", purpose="user_data")
    assert client.files.content(sent.id).read() == content


def test_files_are_listed_the_newest_first(client):
    ids = [send(client, name=f"{i}.jsonl").id for i in range(3)]
    assert [f.id for f in client.files.list()] == ids[::-1]
    assert [f.id for f in client.files.list(order="asc")] == ids
    assert [f.id for f in client.files.list(order="asc", limit=2)] == ids  # the SDK turns the page
    assert [f.id for f in client.files.list(after=ids[1])] == ids[:1]


def test_files_are_listed_by_their_purpose(client):
    tuning, other = send(client).id, send(client, purpose="user_data").id
    assert [f.id for f in client.files.list(purpose="fine-tune")] == [tuning]
    assert [f.id for f in client.files.list(purpose="user_data")] == [other]
    assert list(client.files.list(purpose="batch")) == []


def test_a_file_is_deleted(client):
    id = send(client).id
    gone = client.files.delete(id)
    assert (gone.id, gone.deleted, gone.object) == (id, True, "file")
    assert list(client.files.list()) == []
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=f"No such File object: {id}"):
            call(id)


def test_a_training_file_is_called_jsonl(client):
    with pytest.raises(openai.BadRequestError, match="Must be .jsonl"):
        send(client, name="train.csv")
    assert send(client, name="train.csv", purpose="user_data").filename == "train.csv"


def test_an_empty_file_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="empty"):
        send(client, b"")


def test_an_unknown_purpose_is_refused(client):
    with pytest.raises(openai.BadRequestError) as caught:
        send(client, purpose="fun")
    assert caught.value.param == "purpose"


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST", 3)
    body = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n' + (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n1234\r\n--x--\r\n'
    )
    with pytest.raises(Problem, match="too large") as caught:
        Uploads().receive("multipart/form-data; boundary=x", body)
    assert caught.value.status == 413


def test_a_form_without_a_file_is_told(http):
    response = http.post("/v1/files", files={"purpose": (None, "fine-tune")})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "missing_required_parameter"


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", ""])
def test_what_is_no_form_is_told(http, kind):
    response = http.post("/v1/files", content=b"{}", headers={"content-type": kind})
    assert response.status_code == 400
    assert "multipart/form-data" in response.json()["error"]["message"]


def test_a_form_may_quote_its_boundary():
    body = b'--a b\r\nContent-Disposition: form-data; name="n"\r\n\r\nvalue\r\n--a b--\r\n'
    assert form('multipart/form-data; boundary="a b"', body) == {"n": ("", b"value")}


def test_pages_follow_each_other():
    things = [{"id": str(i)} for i in range(5)]
    first = page(things, {"limit": "2"}, 20)
    assert ([t["id"] for t in first["data"]], first["has_more"]) == (["0", "1"], True)
    assert (first["first_id"], first["last_id"], first["object"]) == ("0", "1", "list")
    last = page(things, {"after": "3"}, 20)
    assert ([t["id"] for t in last["data"]], last["has_more"]) == (["4"], False)
    assert page([], {}, 20)["first_id"] is None
    assert len(page(things, {"after": "nobody"}, 3)["data"]) == 3


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5"])
def test_a_wrong_limit_is_told(limit):
    with pytest.raises(Problem, match="limit") as caught:
        page([], {"limit": limit}, 20)
    assert caught.value.param == "limit"


def test_clearing_forgets_the_files():
    files = Uploads()
    files.add("a", "batch", b"x")
    files.clear()
    assert files.list({})["data"] == []
