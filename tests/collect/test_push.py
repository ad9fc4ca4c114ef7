import base64
import hmac
from hashlib import sha256

import pytest

from openflywheel.collect._push import key, name, refusal, sign, unsigned

SECRET, TOKEN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a-token-of-the-vendor"
BODY, NOW = b'{"a":1}', 1_700_000_000.0


def headers(body=BODY, secret=SECRET, at=NOW, id="msg_1"):
    stamp = f"{at:.0f}"
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": sign(id, stamp, body, secret)}


def refused(said, body=BODY, secret=SECRET, token="", now=NOW):
    return refusal(said, body, secret=secret, token=token, now=now)


def test_the_specifications_own_example():
    """The vector of the Standard Webhooks libraries."""
    stamp, body = "1614265330", b'{"test": 2432232314}'
    right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign("msg_p5jXN8AQM9LWM0D4loKWxJek", stamp, body, SECRET) == right


def test_the_signature_is_an_hmac_over_id_time_and_body():
    raw = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(raw, b"msg_1.1700000000." + BODY, sha256).digest()
    assert headers()["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert refused(headers()) == ""


def test_one_good_signature_among_several_is_enough():
    said = headers()
    said["webhook-signature"] = f"v1,AAAA v2,BBBB {said['webhook-signature']}"
    assert refused(said) == ""


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (headers(), b'{"a":2}'),
        (headers(secret="whsec_AAAA"), BODY),
        ({**headers(), "webhook-id": "msg_2"}, BODY),
        ({**headers(), "webhook-signature": ""}, BODY),
        ({**headers(), "webhook-signature": "v1,\u00e9"}, BODY),
    ],
)
def test_what_was_changed_is_refused(said, body):
    assert refused(said, body) == "no valid signature in webhook-signature"


@pytest.mark.parametrize("at", [NOW - 301, NOW + 301])
def test_an_old_signature_is_refused(at):
    assert refused(headers(at=at)) == "the signature is older than 300 s, or from the future"
    assert refused(headers(at=NOW - 299)) == ""


@pytest.mark.parametrize("stamp", [None, "", "soon"])
def test_a_signature_needs_its_time(stamp):
    said = {k: v for k, v in {**headers(), "webhook-timestamp": stamp}.items() if v is not None}
    assert refused(said) == "the header webhook-timestamp is missing or no number"


def test_not_a_number_is_no_time():
    said = {**headers(), "webhook-timestamp": "nan"}
    said["webhook-signature"] = sign("msg_1", "nan", BODY, SECRET)
    assert "older than 300 s" in refused(said)


def test_a_token_is_enough_where_one_is_set():
    assert refused({"authorization": f"Bearer {TOKEN}"}, secret="", token=TOKEN) == ""
    assert refused({"authorization": TOKEN}, secret="", token=TOKEN) == ""
    assert refused({"authorization": f"bearer {TOKEN}"}, secret="", token=TOKEN) == ""
    assert refused({"authorization": "Bearer wrong"}, secret="", token=TOKEN).startswith("no valid token")
    assert refused({}, secret="", token=TOKEN).startswith("no valid token")
    assert refused({"authorization": ""}, secret=SECRET, token="") != ""


def test_a_secret_is_base64_after_its_prefix_or_plain():
    assert key("whsec_AAAA") == b"\0\0\0"
    assert key("plain text") == b"plain text"
    with pytest.raises(ValueError, match="what follows whsec_ is no base64"):
        key("whsec_!!!")


def test_a_push_goes_by_its_senders_id_or_by_its_content():
    assert name({"webhook-id": "msg_1"}, b"a") == "msg_1"
    assert name({}, b"a") == name({}, b"a") != name({}, b"b")
    long = [name({"webhook-id": "x" * 300 + end}, b"") for end in "ab"]
    assert long[0] != long[1]
    assert len(long[0]) == 64


def test_a_body_is_read_only_where_there_could_be_a_signature():
    assert unsigned({})
    assert unsigned({"webhook-id": "x", "webhook-timestamp": "1"})
    assert not unsigned({"webhook-signature": "v1,x"})
    assert not unsigned({"authorization": "Bearer x"})


def test_a_signature_is_of_a_named_message():
    said = headers(id="")
    assert refused(said) == "the header webhook-id is missing"
