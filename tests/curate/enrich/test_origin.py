"""Where a row comes from: hosts of addresses of all kinds, the nearest name, the section."""

import pyarrow as pa
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._enrich.origin import credibility, host, nearest, section


def batch(*records: Record) -> pa.Table:
    table = pa.Table.from_batches([to_batch(records, Record)])
    return table.append_column("drop", pa.nulls(len(records), pa.string()))


def at(uri: str, source: str = "crawl") -> pa.Table:
    return batch(Record(text="t", source=source, uri=uri))


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("https://Example.COM/a?b#c", "example.com"),
        ("https://user:pass@example.com:8080/", "example.com"),
        ("https://example.com?x=@evil.org", "example.com"),
        ("https://example.com#@evil.org", "example.com"),
        ("git+ssh://[2001:DB8::1]:22/x", "[2001:db8::1]"),
        ("https://", None),
        ("file:///etc/passwd", None),
        ("example.com/a", None),
        ("mailto:a@example.com", None),
        ("http://[", "["),
        ("", None),
    ],
)
def test_the_host_of_an_address(uri: str, name: str | None) -> None:
    assert host(at(uri)).to_pylist() == [name]


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("https://docs.example.com/", "the host"),
        ("https://a.b.docs.example.com/", "the host"),
        ("https://www.example.com/", "the domain"),
        ("https://notexample.com/", "the source"),
        ("https://example.com.evil.org/", "the source"),
        ("", "the source"),
        ("https://1.2.3.4.5.6.example.com/", "the source"),  # more than five parts away
    ],
)
def test_the_nearest_name_speaks(uri: str, said: str) -> None:
    names = {"docs.example.com": "the host", "Example.com": "the domain", "crawl": "the source"}
    assert nearest(at(uri), names).to_pylist() == [said]


def test_nobody_speaks_for_a_stranger() -> None:
    assert nearest(at("https://a.org/", "files"), {"b.org": "1"}).to_pylist() == [None]
    assert nearest(at("https://a.org/"), {}).to_pylist() == [None]


def test_credibility_is_a_number_as_text() -> None:
    assert credibility(at("https://a.org/"), {"a.org": 1}).to_pylist() == ["1.0"]
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(SettingsError, match="'a.org'"):
            credibility(at("https://a.org/"), {"a.org": wrong})


def test_the_section_is_what_was_known_else_the_heading_else_the_title() -> None:
    known, heading = {"section": "A > B", "title": "T"}, "\n ## A heading ##\r\ntext"
    found = section(
        batch(
            Record(text=heading, source="t", meta=known),
            Record(text=heading, source="t", meta={"title": "T"}),
            Record(text="text\n# Later", source="t", meta={"title": "T"}),
            Record(text="#hashtag", source="t"),
        )
    )
    assert found.to_pylist() == ["A > B", "A heading", "T", None]
