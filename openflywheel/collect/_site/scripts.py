"""Whether a page shows its text only to a browser: evidence, not a guess."""

import re

from selectolax.lexbor import LexborHTMLParser

ENOUGH = 200  # characters of text with which a page needs no browser
BARE = 20  # characters: fewer are no text
SHELL = 5_000  # tags; what has more and no text is no application's shell

_ROOTS = (
    "#root,#app,#__next,#__nuxt,#___gatsby,#svelte,#q-app,#app-root,#react-root,#application,app-root,[ng-app],"
    "[data-ng-app],[data-reactroot],[data-server-rendered]"
)
_ASKS = re.compile(r"javascript|browser", re.IGNORECASE)


def needs_script(source: str, text: str) -> str:
    """Why a browser would show more than `text`, which was read from the page; "" when nothing says so."""
    if len(text) >= ENOUGH or source.count("<") > SHELL:
        return ""
    tree = LexborHTMLParser(source, scripting=True)  # so that <noscript> keeps its text
    if tree.css_first("meta[name=fragment][content='!']"):
        return "meta fragment"
    if not tree.css_first("script"):
        return ""
    if any(len(root.text(strip=True)) < BARE for root in tree.css(_ROOTS)):
        return "empty application root"
    if any(_ASKS.search(node.text()) for node in tree.css("noscript")):
        return "noscript asks for a browser's scripts"
    scripts = tree.css_first("script[src],script[type=module]")
    return "nothing but scripts" if scripts and len(text) < BARE and not tree.css_first("a[href]") else ""
