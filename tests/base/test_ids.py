import os
import subprocess
import sys
import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.ids import content_id, event_id, share_of, subject_key


def test_event_ids_carry_version_7_and_the_rfc_variant():
    ids = [UUID(event_id()) for _ in range(500)]
    assert {i.version for i in ids} == {7}
    assert {i.variant for i in ids} == {"specified in RFC 4122"}


@given(st.lists(st.integers(0, 2**48 - 1), unique=True))
def test_event_ids_sort_by_time(moments):
    ids = [event_id((m + 0.5) / 1000) for m in moments]
    by_id = [m for _, m in sorted(zip(ids, moments, strict=True))]
    assert by_id == sorted(moments)


def test_an_event_id_holds_the_present_millisecond():
    before, id, after = time.time(), event_id(), time.time()
    assert int(before * 1000) <= UUID(id).int >> 80 <= int(after * 1000)


def test_event_ids_of_one_moment_differ():
    assert len({event_id(1.0) for _ in range(10_000)}) == 10_000


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_text_and_its_bytes_have_the_same_content_id(parts):
    assert content_id(*parts) == content_id(*(p.encode() for p in parts))


@pytest.mark.parametrize(
    ("one", "other"),
    [(("ab", "c"), ("a", "bc")), (("a",), ("a", "")), ((), ("",)), (("a", "b"), ("b", "a"))],
    ids=["borders count", "empty parts count", "nothing is not emptiness", "order counts"],
)
def test_content_ids_tell_apart(one, other):
    assert content_id(*one) != content_id(*other)


def test_content_ids_never_change():
    """Stores on disk hold these: a change here orphans every row that was ever written."""
    assert content_id() == "cae66941d9efbd404e4d88758ea67670"
    assert content_id("Gap", b"x") == "44c7c1ca3e5b63437dff0b5e21d557fb"


def test_names_are_the_same_in_every_process():
    said = "content_id('a', b'b'), share_of('x', 'y'), subject_key('p', b'k')"
    command = [sys.executable, "-c", f"from openflywheel.base.ids import *; print(({said}))"]
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    other = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str((content_id("a", b"b"), share_of("x", "y"), subject_key("p", b"k")))


def test_subject_keys_follow_the_person_and_the_secret():
    keys = {subject_key(p, s) for p in ("ann", "bob") for s in (b"one", b"two")}
    assert len(keys) == 4
    assert all(len(k) == 32 for k in keys)


def test_shares_are_uniform_and_differ_by_salt():
    shares = [share_of(str(i)) for i in range(4_000)]
    assert all(0 <= s < 1 for s in shares)
    tenths = [sum(t / 10 <= s < (t + 1) / 10 for s in shares) for t in range(10)]
    assert all(300 < n < 500 for n in tenths)  # 5 standard deviations of a binomial around 400
    assert share_of("x", "a") != share_of("x", "b")
