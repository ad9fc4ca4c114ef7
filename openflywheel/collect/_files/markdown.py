"""Markdown: a text for each section of the first two levels; the front matter holds facts about them all."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.charset import text_of
from openflywheel.collect._files.file import File, Found

FRONT = re.compile(r"\A---[ \t]*\n(.{0,65536}?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
HEADING = re.compile(r"^ {0,3}(#{1,2})[ \t]+(\S.*)$")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
PLAIN = (str, int, float)
ALIAS = re.compile(r"(?m)(?:^|[\s\[,{])[&*]\w")  # anchors unfold to any size ("billion laughs")

Section = tuple[str, list[str]]


def read(file: File) -> Iterator[Found | Drop]:
    """Sections; their anchors are those of GitHub."""
    text = text_of(file)
    front = FRONT.match(text)
    facts = _facts(front[1]) if front else {}
    person = facts.pop("author", "")
    for heading, lines in _sections(text[front.end() :] if front else text):
        body = "\n".join(lines).strip()
        if body:
            meta = {**facts, **({"section": heading} if heading else {})}
            yield Found(text=body, meta=meta, anchor=_anchor(heading), person=person)


def _facts(front: str) -> dict[str, str]:
    """Plain values of front matter; what is broken holds none."""
    if ALIAS.search(front):
        return {}
    try:
        said: Any = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    return {str(k): str(v) for k, v in said.items() if isinstance(v, PLAIN) or hasattr(v, "isoformat")}


def _sections(text: str) -> Iterator[Section]:
    """(heading, lines with it); what looks like a heading in a block of code is none."""
    heading, fence = "", ""
    lines: list[str] = []
    for line in text.split("\n"):
        if mark := FENCE.match(line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        found = None if fence else HEADING.match(line)
        if found:
            yield heading, lines
            heading, lines = found[2].rstrip(" \t#"), []
        lines.append(line)
    yield heading, lines


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
