"""What the attributes of an element say of its part in the page: classes of words in class, id and role."""

import re
from functools import lru_cache

HIDDEN = 1 << 31  # the element is not shown

# One bit each, in this order; a word counts where it begins one ("comments", "commentList", "post-comment").
GROUPS = tuple(
    (name, words.replace(" ", "|"))
    for name, words in (
        (
            "body",
            "article content body post story text entry main prose markdown document chapter "
            "reading longform",
        ),
        ("comment", "comment disqus respond reply replies discussion livefyre talkback kommentar comentario"),
        ("share", "share sharing social follow facebook twitter tweet whatsapp pinterest addthis like"),
        (
            "related",
            "related recommend more popular trending teaser latest outbrain taboola read[-_]?next "
            "also promo card most headlines river carousel suggest upnext playlist links",
        ),
        (
            "side",
            "side aside rail widget complementary column[-_]?right right gadget tool utility toolbar infobox",
        ),
        (
            "menu",
            "nav menu breadcrumb crumb pager pagination toc skip tabs? search jump dropdown index headerlink",
        ),
        (
            "edge",
            "foot header masthead banner top bottom copyright legal disclaimer contentinfo colophon catlinks",
        ),
        (
            "notice",
            "cookie consent gdpr modal popup overlay alert privacy paywall login signin sign[-_]?up register",
        ),
        (
            "advert",
            "ads?(?![a-z]) advert adsense sponsor dfp commercial shopping newsletter subscri "
            "donat partner offer deal",
        ),
        (
            "byline",
            "author byline meta date time tag categor credit bio about profile avatar writer dek source info",
        ),
        (
            "figure",
            "caption image photo picture gallery figure media video slide thumb player embed wp- caption",
        ),
        ("code", "code highlight syntax pre(?![a-z]) sample listing example note warning admonition"),
        (
            "part",
            "headline title heading lead intro summary standfirst subtitle quote pullquote abstract excerpt",
        ),
    )
)
_WORD = re.compile("(?<![a-z])(?:" + "|".join(f"({words})" for _, words in GROUPS) + ")")
_CAMEL = re.compile(r"([a-z])([A-Z])")
_SAID = re.compile(r' (?:class|id|role|itemprop)="([^"]*)"')
_UNSEEN = re.compile(
    r' hidden(?:=""|="hidden"|="true")| aria-hidden="true"| role="(?:navigation|search|menu|menubar)"|'
    r' class="(?:headerlink|hash-link|anchor-link|anchorjs-link)"|'
    r' style="[^"]*(?:display:\s*none|visibility:\s*hidden)'
)


@lru_cache(20_000)
def words_of(attributes: str) -> int:
    """The groups whose words stand in an element's attributes, as bits; HIDDEN where it is not to be read."""
    said = " ".join(_SAID.findall(attributes[:1_000]))
    bits = HIDDEN if _UNSEEN.search(attributes) else 0
    for found in _WORD.finditer(_CAMEL.sub(r"\1-\2", said).lower()):
        bits |= 1 << ((found.lastindex or 1) - 1)
    return bits
