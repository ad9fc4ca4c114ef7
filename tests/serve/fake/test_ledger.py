import pytest

from openflywheel.serve._fake import ledger
from openflywheel.serve._fake.ledger import Cost, Ledger, Received
from openflywheel.serve._fake.script import Price

PRICES = {"m": Price(input=2, output=10)}


def scope(*headers, path="/v1/x"):
    return {"method": "POST", "path": path, "headers": headers}


def test_a_request_is_kept_without_its_secrets():
    book = Ledger()
    headers = [
        (b"authorization", b"Bearer sk-1"),
        (b"x-api-key", b"sk-2"),
        (b"cookie", b"c=1"),
        (b"accept", b"*/*"),
    ]
    assert book.keep(scope(*headers), b'{"a": [1]}') == 1
    [seen] = book.requests()
    hidden = dict.fromkeys(("authorization", "x-api-key", "cookie"), "***")
    assert seen == Received("POST", "/v1/x", {**hidden, "accept": "*/*"}, {"a": [1]})


@pytest.mark.parametrize(
    ("body", "read"), [(b"", None), (b"{", "{"), (b'"\xff"', '"\ufffd"'), (b"null", None), (b"[]", [])]
)
def test_a_body_is_json_or_text(body, read):
    book = Ledger()
    book.keep(scope(), body)
    assert book.requests()[0].body == read


def test_the_oldest_are_forgotten_beyond_the_limit(monkeypatch):
    monkeypatch.setattr(ledger, "KEPT", 3 * (1024 + 10))
    book = Ledger()
    for number in range(5):
        book.keep(scope(path=f"/{number}"), b"0123456789")
    assert [seen.path for seen in book.requests()] == ["/2", "/3", "/4"]
    assert book.keep(scope(path="/big"), b"x" * 10_000) == 6
    assert [seen.path for seen in book.requests()] == ["/big"]


def test_a_bill_adds_up_by_model():
    book = Ledger()
    book.charge("m", 1_000_000, 100_000)
    book.charge("m", 500_000, 0)
    book.charge("free", 7, 8)
    bill = book.bill(PRICES)
    assert bill.models == [
        Cost(model="m", requests=2, input_tokens=1_500_000, output_tokens=100_000, dollars=4.0),
        Cost(model="free", requests=1, input_tokens=7, output_tokens=8, dollars=None),
    ]
    assert bill.dollars == 4.0


def test_an_empty_bill_is_nothing():
    assert (Ledger().bill(PRICES).models, Ledger().bill(PRICES).dollars) == ([], 0)


def test_clearing_forgets_all_but_the_number():
    book = Ledger()
    book.keep(scope(), b"")
    book.charge("m", 1, 1)
    book.clear()
    assert (book.requests(), book.bill(PRICES).models) == ([], [])
    assert book.keep(scope(), b"") == 2


def test_training_is_priced_by_its_own_price():
    book = Ledger()
    book.charge_training("m", 2_000_000)
    book.charge_training("unpriced", 1_000_000)
    book.charge("m", 1_000_000, 0)
    first, second = book.bill(PRICES, 25).models
    assert (first.trained_tokens, first.dollars) == (2_000_000, 2 + 50)
    assert (second.requests, second.dollars) == (0, 25)
    assert book.bill(PRICES, 25).dollars == 77
