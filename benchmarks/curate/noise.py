"""What sites put around and below their texts, made up: menus, comments, notices and teasers.

Few of the real pages carry comments. So pages are also taught with such parts, named as the common systems
name them; their sentences are other pages' own, so that only names, links and places tell them from the main
text.
"""

import random
import re
from collections.abc import Sequence

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode

from benchmarks.curate.pages import Example
from openflywheel.curate._extract.source import markup

_SENTENCE = re.compile(r"[^.!?\n]{40,250}[.!?]")
_THREADS = (
    *('id="comments"', 'class="comments-area"', 'id="disqus_thread"', 'class="commentlist"'),
    *('class="post-comments"', 'class="comment-thread"', 'id="respond" class="comment-respond"'),
)
_REMARKS = ('class="comment"', 'class="comment-body"', 'class="reply"', 'class="user-comment depth-1"', "")
_NOTICES = (
    *('class="cookie-banner"', 'id="gdpr-consent"', 'class="newsletter-signup"', 'class="subscribe-box"'),
    *('class="paywall-notice"', 'class="promo-box"', 'class="site-disclaimer"'),
)
_TEASERS = (
    *('class="related"', 'class="related-posts"', 'class="recommended"', 'class="more-stories"'),
    *('id="read-next"', 'class="trending widget"', 'class="sidebar-latest"'),
)


def sentences(examples: Sequence[Example]) -> list[str]:
    """Sentences of the expected texts."""
    return [" ".join(found.split()) for example in examples for found in _SENTENCE.findall(example.text)]


def noisy(example: Example, others: Sequence[str], seed: int) -> Example:
    """The page with three such parts: a menu at its start, one at its end, one right behind its text."""
    chance = random.Random(f"{example.name} {seed}")
    tree = LexborHTMLParser(markup(example.source))
    menu = LexborHTMLParser(_menu(chance)).css_first("body > *")
    if tree.body and tree.body.child and menu:
        tree.body.child.insert_before(menu)
    for place in (tree.body, _end_of_text(tree, example.text)):
        made = chance.choice((_comments, _comments, _notice, _teasers))(chance, others)
        part = LexborHTMLParser(made).css_first("body > *")
        if place is None or part is None:
            continue
        if place.tag == "body":
            place.insert_child(part)
        else:
            place.insert_after(part)
    return msgspec.structs.replace(example, source=(tree.html or "").encode())


def _end_of_text(tree: LexborHTMLParser, expected: str) -> LexborNode | None:
    """The area around the last paragraph that is expected."""
    folded = " ".join(expected.split())
    found = [p for p in tree.css("p") if len(p.text()) > 60 and " ".join(p.text().split()) in folded]
    return found[-1].parent if found else None


def _menu(chance: random.Random) -> str:
    words = ("Home", "About us", "Contact", "News", "Blog", "Shop", "Login", "Help", "English", "Search")
    links = "".join(
        f'<li><a href="/{n}">{chance.choice(words)}</a></li>' for n in range(chance.randrange(1, 13))
    )
    inner = links if chance.random() < 0.5 else links.replace("<li>", " ").replace("</li>", "")
    outer = chance.choice(("nav", "header", 'div class="nav"', 'div class="topbar"', 'ul id="menu"'))
    return f"<{outer}>{inner}</{outer.partition(' ')[0]}>"


def _comments(chance: random.Random, others: Sequence[str]) -> str:
    outer, inner = chance.choice(("div", "section")), chance.choice(("div", "li", "article"))
    item = chance.choice(_REMARKS)
    remarks = "".join(
        f"<{inner} {item}><p>user{chance.randrange(99)}, {chance.randrange(1, 29)} May</p>"
        f"<p>{_some(chance, others)}</p></{inner}>"
        for _ in range(chance.randrange(1, 9))
    )
    title = chance.choice(("Comments", "3 Comments", "Leave a reply", "Discussion"))
    return f"<{outer} {chance.choice(_THREADS)}><h3>{title}</h3>{remarks}</{outer}>"


def _notice(chance: random.Random, others: Sequence[str]) -> str:
    return f"<div {chance.choice(_NOTICES)}><h4>Stay informed</h4><p>{_some(chance, others)}</p></div>"


def _teasers(chance: random.Random, others: Sequence[str]) -> str:
    outer, inner = chance.choice(("div", "aside", "section")), chance.choice(("div", "li", "article"))
    items = "".join(
        f'<{inner}><h4><a href="/{n}">{chance.choice(others)[:60]}</a></h4>'
        f"<p>{chance.choice(others)}</p></{inner}>"
        for n in range(chance.randrange(2, 7))
    )
    return f"<{outer} {chance.choice(_TEASERS)}><h3>More</h3>{items}</{outer}>"


def _some(chance: random.Random, others: Sequence[str]) -> str:
    return " ".join(chance.choices(others, k=chance.randrange(1, 4)))
