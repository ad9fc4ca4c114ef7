"""Documents of any kind as one text."""

import io

import pytest

from openflywheel.wheel.documents import Document, read_document


def test_a_text_and_its_facts():
    page = b"---\ntitle: Returns\n---\n# Returns\nWithin 30 days.\n\n## Why\nBecause."
    found = read_document(page, "a.md")
    assert found.text == "# Returns\nWithin 30 days.\n\n## Why\nBecause."
    assert found.meta["title"] == "Returns"


def test_rows_become_a_table():
    assert read_document(b"what,days\nshoes,30\nhats,14\n", "a.csv").text == (
        "| what | days |\n| --- | --- |\n| shoes | 30 |\n| hats | 14 |"
    )


def test_every_sheet_is_a_table_of_its_own():
    xlsxwriter = pytest.importorskip("xlsxwriter", reason="comes with the development tools")
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink) as book:
        for sheet, head in (("a", "what"), ("b", "when")):
            page = book.add_worksheet(sheet)
            page.write_row(0, 0, [head])
            page.write_row(1, 0, ["x"])
    assert read_document(sink.getvalue(), "a.xlsx").text == (
        "| what |\n| --- |\n| x |\n\n| when |\n| --- |\n| x |"
    )


def test_a_mail_and_its_attachment_follow_each_other():
    mail = (
        b"From: ann@example.com\nSubject: Hello\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/plain\n\nsee there\n--b\nContent-Type: text/plain\n"
        b'Content-Disposition: attachment; filename="a.txt"\n\nattached\n--b--\n'
    )
    found = read_document(mail, "a.eml")
    assert (found.text, found.meta["title"]) == ("see there\n\nattached", "Hello")


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"", "a.txt", "empty file"),
        (b"hello", "a.exe", "unknown kind of file"),
        (b"%PDF-1.4 broken", "a.pdf", "broken pdf file"),
        (b"RIFF....WAVE", "a.wav", "broken film file"),
    ],
)
def test_what_cannot_be_read_says_why(content, name, why):
    assert read_document(content, name) == Document(refused=why)
