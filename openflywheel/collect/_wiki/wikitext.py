"""MediaWiki's markup as Markdown: what readers see, without templates, references, categories and pictures.

Templates would have to be run to be read. Every step goes once over the text: markup is written by strangers.
"""

import re
from html import unescape

PICTURES = re.compile(r"\s*:?(?:file|image|media|category|datei|bild|kategorie|fichier|catégorie)\s*:", re.I)
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]{2,8})?:\S")  # a link to the same page in another language
LINKS = re.compile(r"(\[\[)|(\]\])")
DEEPEST = 4  # links in a picture's caption; deeper ones are text
OUTSIDE = re.compile(r"\[(?:https?:)?//[^\s\[\]<>]+([^\[\]\n]*)\]")
REDIRECT = re.compile(r"\s*#\s?[^\s\[\]]{4,20}\s*:?\s*\[\[")
SINGLE = re.compile(r"<(?:ref|references)\b[^<>]*/>", re.I)
BREAK = re.compile(r"<br\s*/?>", re.I)
TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
SWITCH = re.compile(r"__[A-Z]{3,30}__")
QUOTES = re.compile(r"'{2,5}")
HEADING = re.compile(r"(?m)^(={1,6})([^\n]+?)\1[ \t]*$")
ITEM = re.compile(r"(?m)^[*#:;]+[ \t]*(?=\S)")
CELLS = re.compile(r"\|\||!!")
STYLE = re.compile(r"^[^|\[\]=]*=[^|\[\]]*\|(?!\|)")
BLANK = re.compile(r"\n{3,}")


def redirects(text: str) -> bool:
    """Does a page only lead to another one?"""
    return bool(REDIRECT.match(text))


def plain(text: str) -> str:
    """The text of a page as Markdown."""
    text = cut(text, "<!--", "-->")
    text = cut(
        SINGLE.sub("", text),
        r"<(?:ref|gallery|math|timeline)\b[^<>]*>",
        r"</(?:ref|gallery|math|timeline)\s*>",
    )
    text = cut(text, r"\{\{", r"\}\}")
    text = OUTSIDE.sub(lambda found: found[1].strip(), _without_links(text))
    text = "\n".join(line for line in map(_row, text.split("\n")) if line is not None)
    text = ITEM.sub("- ", QUOTES.sub("", SWITCH.sub("", text)))
    text = HEADING.sub(lambda found: f"\n{'#' * len(found[1])} {found[2].strip()}\n", text)
    text = unescape(TAG.sub("", BREAK.sub("\n", text))).replace("\xa0", " ")
    return BLANK.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()


def cut(text: str, opening: str, closing: str) -> str:
    """The text without what stands between two marks (patterns), nested or not; what never ends stays."""
    out: list[str] = []
    starts: list[int] = []
    end = 0
    for mark in re.finditer(f"({opening})|({closing})", text, re.I):
        out.append(text[end : mark.start()])
        end = mark.end()
        if mark[1]:
            starts.append(len(out))
            out.append(mark[0])
        elif starts:
            del out[starts.pop() :]
        else:
            out.append(mark[0])
    return "".join([*out, text[end:]])


def _without_links(text: str) -> str:
    """[[target|words]] as its words; links to pictures, categories and other languages as nothing."""
    out: list[str] = []
    starts: list[int] = []
    end = 0
    for mark in LINKS.finditer(text):
        out.append(text[end : mark.start()])
        end = mark.end()
        if mark[1] and len(starts) < DEEPEST:
            starts.append(len(out))
        elif mark[2] and starts:
            start = starts.pop()
            out[start:] = [_words("".join(out[start:]))]
    return "".join([*out, text[end:]])


def _words(link: str) -> str:
    if PICTURES.match(link) and not link.lstrip().startswith(":"):
        return ""
    target, _, words = link.partition("|")
    if not words and LANGUAGE.match(target):
        return ""
    return (words.rpartition("|")[2] if words else target.lstrip(":")).strip()


def _row(line: str) -> str | None:
    """A line of a table as its cells with | between; None for what only frames it."""
    said = line.lstrip()
    if said.startswith(("{|", "|}", "|-")):
        return None
    if not said.startswith(("|", "!")):
        return line
    cells = (STYLE.sub("", cell).strip() for cell in CELLS.split(said.lstrip("|!+")))
    return " | ".join(cell for cell in cells if cell)
