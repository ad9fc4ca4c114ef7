import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.collect._scrape.selectors import MOST, Pick, read

WHOLE = """
item: article.review
text: [h3, {select: .body}]
label: .category
person: .author
fields:
  rating: {select: .stars, attribute: data-rating, type: number}
  published: {select: time, type: date, format: "%d.%m.%Y"}
  link: {select: a, type: url}
required: [text, rating, label]
next: a.next
"""


def load(folder, text):
    (folder / "shop.yaml").write_text(text)
    return read(folder / "shop.yaml")


def test_a_whole_file_is_read(tmp_path):
    found = load(tmp_path, WHOLE)
    assert found.texts == (Pick(select="h3"), Pick(select=".body"))
    assert found.facts["published"] == Pick(select="time", type="date", format="%d.%m.%Y")
    assert (found.item, found.next, found.required) == (
        "article.review",
        "a.next",
        ("text", "rating", "label"),
    )


def test_a_text_alone_is_enough(tmp_path):
    assert load(tmp_path, "text: p").texts == (Pick(select="p"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text: p\nitme: li", r"shop\.yaml:2: there is no setting 'itme'; did you mean 'item'"),
        ("text: p\nfields:\n  a:\n    selct: b", r"yaml:4: .*'selct'; did you mean 'select'"),
        ("text: {select: p, typ: text}", r"shop\.yaml:1: .*did you mean 'type'"),
        ("text: [p, {attr: x}]", r"shop\.yaml:1: there is no setting 'attr'"),
        ("text: p\nfields:\n  a: {select: b, type: money}", r"shop\.yaml:3: .*Invalid enum value 'money'"),
        ("text: p\nitem: 'li['", r"shop\.yaml:2: item: 'li\[' is no CSS selector"),
        ("text: p\nfields:\n  x: 'b::text'", r"shop\.yaml:3: fields\.x: .*Pseudo-elements"),
        ("text: p\nlabel: '>'", r"shop\.yaml:2: label: "),
        ("text: p\nrequired: [pric]\nfields: {price: b}", r"yaml:2: .*'pric'; did you mean 'price'"),
        ("text: p\nfields:\n  currency: b", r"shop\.yaml:3: 'currency' is filled by"),
        ("item: li", r"shop\.yaml:1: .*missing required field `text`"),
        ("text: p\nfields: [a]", r"shop\.yaml:2: fields: "),
        ("text: 5", r"shop\.yaml:1: text: "),
        ("- a", r"shop\.yaml:1: expected a table"),
        ("", r"shop\.yaml:1: expected a table"),
        ("text: [", r"shop\.yaml:1: "),
        ("text: !!python/object/apply:os.system [ls]", r"shop\.yaml:1: .*could not determine a constructor"),
        ("text: p\n" + "# padding\n" * MOST, "more than"),
        ("a: " + "[" * 5000, "shop.yaml:"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, said):
    with pytest.raises(SettingsError, match=said):
        load(tmp_path, text)


def test_a_missing_file_and_one_that_is_no_text_are_explained(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.yaml cannot be read: No such file"):
        read(tmp_path / "none.yaml")
    (tmp_path / "shop.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not a text in UTF-8"):
        read(tmp_path / "shop.yaml")
