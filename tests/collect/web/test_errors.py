"""What a failed fetch says, and what it keeps to itself."""

import pytest

from openflywheel.base.errors import FlywheelError, SourceFailed
from openflywheel.collect._web.errors import FetchFailed


def test_it_says_url_reason_and_more():
    failed = FetchFailed("too large", "http://a.com/b", "more than 5 bytes")
    assert str(failed) == "http://a.com/b: too large: more than 5 bytes"
    assert str(FetchFailed("redirect loop", "http://a.com/")) == "http://a.com/: redirect loop"


def test_it_is_a_failure_of_a_source():
    assert issubclass(FetchFailed, SourceFailed)
    assert issubclass(FetchFailed, FlywheelError)


@pytest.mark.parametrize(
    "url", ["http://u:s3cret@a.com/x", "http://a.com/x?key=s3cret", "http://s3cret@a.com/x?a=@"]
)
def test_passwords_and_queries_are_not_said(url):
    failed = FetchFailed("too slow", url)
    assert str(failed) == "http://a.com/x: too slow"
    assert failed.url == url


def test_a_long_url_is_cut():
    assert len(str(FetchFailed("too slow", "http://a.com/" + "a" * 5_000))) < 400
