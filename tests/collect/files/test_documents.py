"""Documents: PDF, DOCX, PPTX, HTML, Markdown, plain text, mails."""

import io
import zipfile
from email.message import EmailMessage

import docx
import pptx
import pytest

from openflywheel.base.nouns import Drop
from openflywheel.collect._files import file, office, pdf


def written(document):
    sink = io.BytesIO()
    document.save(sink)
    return sink.getvalue()


def pdf_of(*pages, title=""):
    """A PDF as small as it can be: a font and a stream of text a page."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, text in enumerate(pages):
        stream = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET"
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * i} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    objects.append(f"<< /Title ({title}) /Author (Ann Other) >>")
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}trailer\n"
    end += f"<< /Size {len(places) + 1} /Root 1 0 R /Info {len(places)} 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    return out + end.encode()


def test_pages_of_a_pdf(found):
    (one,) = found("a.pdf", pdf_of("Hello", "World", title="Greetings"))
    assert one.text == "Hello\fWorld"
    assert one.meta == {"title": "Greetings", "pages": "2"}
    assert one.person == "Ann Other"


def test_columns_of_a_pdf_are_read_one_after_the_other(found):
    lines = ") Tj 300 0 Td (".join(("Left column begins here", "Right column begins here"))
    rows = [
        f"Left line {i} goes on and on) Tj 300 0 Td (Right line {i} goes on and on) Tj -300 -30 Td ("
        for i in range(4)
    ]
    page = f"{lines}) Tj -300 -30 Td ({''.join(rows)}"
    said = found("a.pdf", pdf_of(page))[0].text.split("\n")
    assert [line.split()[0] for line in said] == ["Left"] * 5 + ["Right"] * 5


def test_what_stands_before_a_pdf_is_passed_over(found):
    assert found("a.pdf", b"junk\n" + pdf_of("Hello"))[0].text == "Hello"


def test_a_pdf_of_too_many_pages_says_so(found, monkeypatch):
    monkeypatch.setattr(pdf, "PAGES", 2)
    one, drop = found("a.pdf", pdf_of("a", "b", "c"))
    assert (one.text, one.meta["pages"], drop) == ("a\fb", "3", Drop("pages after the 2th"))


def test_an_encrypted_pdf(found):
    """RC4 with 40 bits and a user's password that we do not know (PDF 1.4, 3.5)."""
    name = b"<00112233445566778899aabbccddeeff>"
    content = pdf_of("Hello").replace(
        b"trailer\n<< ",
        b"trailer\n<< /ID [" + name + b" " + name + b"] /Encrypt << "
        b"/Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >> ",
    )
    assert found("a.pdf", content) == [Drop("encrypted file")]


@pytest.mark.parametrize("keep", [30, 300])
def test_a_broken_pdf(found, keep):
    assert found("a.pdf", pdf_of("Hello")[:keep]) == [Drop("broken pdf file")]


def word():
    document = docx.Document()
    document.add_heading("Returns", level=1)
    document.add_paragraph("Within 30 days.")
    table = document.add_table(rows=2, cols=2)
    for i, text in enumerate(("what", "days", "shoes", "30")):
        table.cell(i // 2, i % 2).text = text
    document.add_heading("Why", level=2)
    document.core_properties.title, document.core_properties.author = "Manual", "Ann"
    return written(document)


def test_a_docx_keeps_its_order(found):
    (one,) = found("a.docx", word())
    assert (
        one.text == "# Returns\nWithin 30 days.\n\n| what | days |\n| --- | --- |\n| shoes | 30 |\n\n## Why"
    )
    assert (one.meta, one.person) == ({"title": "Manual"}, "Ann")


def slides():
    deck = pptx.Presentation()
    for title, note in (("Sales", "say more"), ("Costs", "")):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = title
        if note:
            slide.notes_slide.notes_text_frame.text = note
    table = slide.shapes.add_table(1, 2, 0, 0, 9_000, 9_000).table
    table.cell(0, 0).text, table.cell(0, 1).text = "rent", "9"
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 9_000, 9_000).text_frame.text = "in a group"
    return written(deck)


def test_slides_and_their_notes(found):
    (one,) = found("a.pptx", slides())
    assert one.text == "Sales\nsay more\fCosts\n\n| rent | 9 |\n| --- | --- |\n\nin a group"
    assert one.meta["slides"] == "2"


def changed(content, name, change):
    """An archive with one member changed."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, change(old.read(member)) if member == name else old.read(member))
    return sink.getvalue()


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("prefix", [LAUGHS, OUTSIDE, b" " * 65_530 + LAUGHS])
@pytest.mark.parametrize(
    ("name", "make", "member"),
    [
        ("a.docx", word, "word/document.xml"),
        ("a.pptx", slides, "ppt/presentation.xml"),
        ("a.docx", word, "_rels/.rels"),
    ],
)
def test_entities_in_an_office_file_are_refused(found, prefix, name, make, member):
    def insert(xml):
        start = xml.index(b"?>") + 2
        return xml[:start] + prefix + xml[start:]

    assert found(name, changed(make(), member, insert)) == [Drop("XML with a document type")]


def test_entities_in_another_encoding_are_refused(found):
    content = changed(
        word(), "word/styles.xml", lambda _: ("\ufeff" + LAUGHS.decode() + "<x/>").encode("utf-16-be")
    )
    assert found("a.docx", content) == [Drop("XML with a document type")]


def test_a_bomb_in_an_office_file_is_refused_before_it_is_opened(found):
    assert found("a.docx", changed(word(), "word/styles.xml", lambda _: bytes(64 << 20))) == [
        Drop("unpacks to too much")
    ]


def test_old_and_encrypted_office_files(found):
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    assert found("a.docx", content) == [Drop("encrypted or old office file")]
    flagged = bytearray(word())
    place = flagged.index(b"PK\x01\x02") + 8
    flagged[place] |= 1
    assert found("a.docx", bytes(flagged)) == [Drop("encrypted file")]


def test_a_zip_that_is_no_document(found):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a.txt", "hi")
    assert found("a.docx", sink.getvalue()) == [Drop("broken docx file")]
    assert found("a.pptx", sink.getvalue()) == [Drop("broken pptx file")]


def test_no_document_type_is_longer_than_what_is_kept_between_pieces():
    assert max(map(len, office.TYPES)) == office.LONGEST == 18


def test_an_html_page(found):
    page = b"<html lang=de><title>T</title><body><nav>menu</nav><main><p>" + b"Hallo Welt. " * 30
    (one,) = found("a.html", page)
    assert one.text.startswith("Hallo Welt.")
    assert (one.meta["title"], one.meta["lang"]) == ("T", "de")


MARKDOWN = """---
title: Guide
weight: 3
date: 2024-01-02
author: Ann
tags: [a, b]
---
Before all.

# First
one
```sh
# no heading
```
### deeper
two

## Second `x`, y!
three
"""


def test_sections_of_markdown(found):
    before, first, second = found("a.md", MARKDOWN.encode())
    facts = {"title": "Guide", "weight": "3", "date": "2024-01-02"}
    assert (before.text, before.meta, before.anchor) == ("Before all.", facts, "")
    assert first.text == "# First\none\n```sh\n# no heading\n```\n### deeper\ntwo"
    assert (first.meta, first.anchor, first.person) == ({**facts, "section": "First"}, "first", "Ann")
    assert (second.text, second.anchor) == ("## Second `x`, y!\nthree", "second-x-y")


@pytest.mark.parametrize(
    "front", ["a: [", "- 1\n- 2", "a: !!python/object:os.system x", "a: &a [1]\nb: *a", "\ta: b"]
)
def test_front_matter_that_says_nothing(found, front):
    (one,) = found("a.md", f"---\n{front}\n---\nText\n".encode())
    assert (one.text, one.meta) == ("Text", {})


def test_markdown_without_headings_and_a_rule_that_is_no_front_matter(found):
    assert [f.text for f in found("a.md", b"one\n\n---\n\ntwo\n")] == ["one\n\n---\n\ntwo"]
    assert [f.text for f in found("a.md", b"---\nno end\n")] == ["---\nno end"]
    assert found("a.md", b"\n \n") == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_in_any_encoding(found, encoding):
    assert found("a.txt", "Grüße\r\nÄ\r".encode(encoding))[0].text == "Grüße\nÄ\n"


def test_a_text_file_is_one_text_and_one_that_was_named_itself_many(found):
    assert [f.text for f in found("a.txt", b"one\n\n two \n")] == ["one\n\n two \n"]
    assert [f.text for f in found("a.txt", b"one\n\n two \n", single=True)] == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"\x7fELF\0\0", "content is not what the name says"),
        ("a.csv", b"%PDF-1.4\n", "content is not what the name says"),
        ("a.pdf", b"hello", "content is not what the name says"),
        ("a.docx", b"hello", "content is not what the name says"),
        ("a.zip", b"hello", "content is not what the name says"),
        ("a.mbox", b"hello", "content is not what the name says"),
        ("a.exe", b"MZ", "unknown kind of file"),
        ("README", b"hi", "unknown kind of file"),
        ("a.pdf", b"", "empty file"),
    ],
)
def test_names_and_contents_that_do_not_fit(found, name, content, reason):
    assert found(name, content) == [Drop(reason)]


def mail(body="Where is it?", *, html="", **headers):
    message = EmailMessage()
    for name, value in {"From": "Ann <Ann@Example.com>", "To": "bob@example.com", **headers}.items():
        message[name] = value
    if body:
        message.set_content(body)
    if html:
        message.add_alternative(html, subtype="html") if body else message.set_content(html, subtype="html")
    return message


def test_a_mail_is_by_its_sender_and_says_nothing_of_others(found):
    content = mail(
        Subject="Order", Date="Tue, 02 Jan 2024 10:00:00 +0100", html="<p>Where <b>is</b> it?"
    ).as_bytes()
    (one,) = found("a.eml", content)
    assert (one.text, one.person) == ("Where is it?", "ann@example.com")
    assert one.meta == {"title": "Order", "published": "2024-01-02T10:00:00+01:00"}


def test_a_mail_of_html_alone(found):
    (one,) = found("a.eml", mail("", html="<body><p>Grüße aus Köln</p></body>").as_bytes())
    assert one.text.strip() == "Grüße aus Köln"


def test_attachments_are_files_in_it(names):
    message = mail()
    message.add_attachment(b"text\nhi\n", maintype="text", subtype="csv", filename="a.csv")
    message.add_attachment(b"x", maintype="text", subtype="plain", filename="../b.txt")
    message.add_attachment(b"x", maintype="application", subtype="octet-stream")
    message.add_attachment(mail("inner"))
    assert names("a.eml", message.as_bytes()) == [
        "a.eml",
        "a.eml!/a.csv",
        "unsafe archive member",
        "unknown kind of file",
        "a.eml!/4.eml",
    ]


def test_mails_in_mails_end_somewhere(names):
    message = mail("0")
    for depth in range(5):
        outer = mail(str(depth + 1))
        outer.add_attachment(message)
        message = outer
    got = names("a.eml", message.as_bytes())
    assert got == ["a.eml", "a.eml!/1.eml", "a.eml!/1.eml!/1.eml", "archive nested too deep"]


def test_a_broken_date_and_no_sender(found):
    (one,) = found("a.eml", b"Subject: x\nDate: yesterday\n\nhi\n")
    assert (one.text, one.meta, one.person) == ("hi", {"title": "x"}, "")


@pytest.mark.parametrize("name", ["Subject", "Content-Type", "X-Anything"])
def test_a_mail_with_a_header_that_never_ends(found, name):
    content = f"From: a@b.example\n{name}: {'word ' * 200_000}\n\nhi\n".encode()
    assert found("a.eml", content) == [Drop("header too long")]


def test_a_file_that_can_only_be_read_at_once_has_a_limit(found, monkeypatch):
    monkeypatch.setattr(file, "WHOLE", 10)
    assert found("a.md", b"more than ten") == [Drop("too large to be read at once")]
    assert [f.row for f in found("a.csv", b"text\nmore than ten\n")] == [{"text": "more than ten"}]


def test_headings_of_blanks_cost_no_time(found):
    (one,) = found("a.md", b"# " + b" #" * 100_000 + b"x")
    assert one.anchor.strip("-") == "x"


def test_a_mailbox(found, names):
    mails = [mail("first\n\nFrom here on"), mail("second")]
    box = b"".join(
        b"From ann Tue Jan  2 10:00:00 2024\n" + m.as_bytes().replace(b"\nFrom here", b"\n>From here") + b"\n"
        for m in mails
    )
    assert [f.text for f in found("a.mbox", box)] == ["first\n\nFrom here on", "second"]
    assert names("a.mbox", box) == ["a.mbox!/1.eml", "a.mbox!/2.eml"]
