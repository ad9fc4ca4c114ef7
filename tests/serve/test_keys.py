"""Who may ask: the key ring, its refusals and its refreshing."""

from hashlib import sha256

import msgspec
import pytest

from openflywheel.base.keys import Forbidden, Key, Unauthorised
from openflywheel.serve._keys import KeyRing, require

SECRET = b"fw-a1-" + b"x" * 43
NOW = 1_000.0


def key_of(secret: bytes, **fields) -> Key:
    given = {"id": "a1", "name": "app", "scopes": ("infer", "signal"), "created": 0.0}
    return Key(**given | fields, hash=sha256(secret).hexdigest())


@pytest.fixture
def keys():
    """What is stored; the ring reads it anew at each refresh."""
    return [key_of(SECRET), key_of(b"fw-b2-other", id="b2")]


@pytest.fixture
def ring(keys):
    return KeyRing(lambda: keys)


def refused(ring: KeyRing, authorization: bytes | None, x_api_key: bytes | None = None, now=NOW) -> str:
    with pytest.raises(Unauthorised) as caught:
        ring.find(authorization, x_api_key, now)
    return str(caught.value)


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER  "])
def test_a_key_is_found_by_the_openai_header(ring, scheme):
    assert ring.find(scheme + SECRET, None, NOW).id == "a1"


def test_a_key_is_found_by_the_anthropic_header(ring):
    assert ring.find(None, SECRET, NOW).id == "a1"
    assert ring.find(None, b"fw-b2-other", NOW).id == "b2"


def test_a_bearers_key_counts_before_the_other_and_other_schemes_do_not(ring):
    assert ring.find(b"Bearer fw-b2-other", SECRET, NOW).id == "b2"
    assert ring.find(b"Basic dXNlcjpwYXNz", SECRET, NOW).id == "a1"
    refused(ring, b"Bearer wrong", SECRET)


def test_every_refusal_reads_the_same(ring, keys):
    keys.append(key_of(b"revoked", id="c3", revoked=10.0))
    keys.append(key_of(b"expired", id="d4", expires=NOW))
    ring.refresh()
    said = {
        refused(ring, None),
        refused(ring, b""),
        refused(ring, b"Bearer "),
        refused(ring, SECRET),
        refused(ring, b"Bearer " + SECRET[:-1]),
        refused(ring, b"Bearer " + SECRET + b"x"),
        refused(ring, b"Bearer a1"),
        refused(ring, b"Bearer " + keys[0].hash.encode()),
        refused(ring, b"Bearer revoked"),
        refused(ring, None, b"expired"),
        refused(ring, b"Bearer \xff\x00\xfe"),
    }
    assert len(said) == 1
    assert "flywheel keys create" in said.pop()


def test_a_refusal_repeats_nothing_of_what_was_sent(ring):
    assert "sesame" not in refused(ring, b"Bearer sesame", b"sesame")


def test_an_expired_key_ends_at_its_moment_without_a_refresh(keys):
    ring = KeyRing(lambda: [key_of(SECRET, expires=NOW + 1)])
    assert ring.find(b"Bearer " + SECRET, None, NOW).id == "a1"
    refused(ring, b"Bearer " + SECRET, now=NOW + 1)


def test_a_refresh_brings_new_keys_and_takes_revoked_ones(ring, keys):
    keys.append(key_of(b"new", id="n9"))
    refused(ring, b"Bearer new")
    keys[0] = msgspec.structs.replace(keys[0], revoked=NOW)
    ring.refresh()
    assert ring.find(b"Bearer new", None, NOW).id == "n9"
    refused(ring, b"Bearer " + SECRET)


def test_a_refresh_that_fails_is_told_and_changes_nothing(keys):
    def load():
        if not keys:
            raise OSError("gone")
        return keys

    ring = KeyRing(load)
    kept, keys[:] = list(keys), []
    with pytest.raises(OSError, match="gone"):
        ring.refresh()
    assert ring.find(b"Bearer " + SECRET, None, NOW) == kept[0]
    assert not ring.open


def test_the_ring_is_open_until_the_first_key_was_made():
    keys: list[Key] = []
    ring = KeyRing(lambda: keys)
    assert ring.open
    refused(ring, b"Bearer " + SECRET)
    keys.append(key_of(SECRET))
    ring.refresh()
    assert not ring.open


def test_revoking_the_last_key_does_not_open_the_ring():
    assert not KeyRing(lambda: [key_of(SECRET, revoked=1.0)]).open
    assert not KeyRing(lambda: [key_of(SECRET, expires=1.0)]).open


def test_a_scope_is_needed_and_none_implies_another():
    require(key_of(SECRET), "infer")
    for scopes, wanted in [(("admin",), "infer"), (("admin",), "operate"), (("infer",), "signal")]:
        with pytest.raises(Forbidden, match=rf"has the scope {scopes[0]}, and this needs {wanted}; make"):
            require(key_of(SECRET, scopes=scopes), wanted)


def test_a_client_cannot_reach_admin():
    with pytest.raises(Forbidden, match="key a1 has the scope infer, signal, and this needs admin"):
        require(key_of(SECRET), "admin")
