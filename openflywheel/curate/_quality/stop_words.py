"""Eight of the commonest words of a language: prose has some of them, lists and menus have not."""
# ruff: noqa: RUF001  letters of other scripts look like Latin ones

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from openflywheel.curate._quality.text import Text
from openflywheel.curate._tokens import Index, tokens

# English: Gopher's (Rae et al. 2021). Han and Hiragana: a word is a letter (see _tokens.py).
WORDS = {
    "ar": "في من على أن إلى ما لا هذا",
    "bg": "на да се за от не са че",
    "ca": "de la que el els per en una",
    "cs": "se na je že to do ve jsou",
    "da": "og at det en er til på for",
    "de": "der die und in den das zu ist",
    "el": "και το να του η της με που",
    "en": "the be to of and that have with",
    "es": "de la que el en los las una",
    "et": "ja on ei et see kui ka mis",
    "fa": "و در به از که این را با",
    "fi": "ja on ei että se oli ovat myös",
    "fr": "de la le et les des en que",
    "he": "של את על לא זה עם הוא כי",
    "hi": "के में है की और से को का",
    "hr": "je na se da za su ne od",
    "hu": "a az és hogy nem is egy meg",
    "id": "yang dan di dengan ini untuk dari dalam",
    "it": "di che la il e per un non",
    "ja": "の に は を た が で と",
    "lt": "ir kad į yra iš su tai ne",
    "lv": "un ir ka no ar uz par kas",
    "nl": "de het een van en in dat is",
    "no": "og det er i på som til en",
    "pl": "i w na nie się to że jest",
    "pt": "de que o a e do da em",
    "ro": "de și în a la cu pe nu",
    "ru": "и в не на что с по как",
    "sk": "a sa na je že to vo sú",
    "sl": "je in na se da za so ki",
    "sr": "је на се да за су не од",
    "sv": "och att det en är på som för",
    "tr": "ve bir bu da de için ile çok",
    "uk": "і в не на що з як до",
    "vi": "và của là có được cho các không",
    "zh": "的 是 在 了 不 和 有 一",
}
LANGUAGES = tuple(WORDS)
UNKNOWN, WITHOUT_LIST = -1, -2
ENOUGH = 1 << 30


def numbers(languages: NDArray[np.object_]) -> Index:
    """Each language's place in `LANGUAGES`; "en-GB" is English, null and "und" are `UNKNOWN`."""
    place = {code: n for n, code in enumerate(LANGUAGES)} | {None: UNKNOWN, "und": UNKNOWN}
    known, at = np.unique([str(x or "und").lower().split("-")[0] for x in languages], return_inverse=True)
    return np.array([place.get(code, WITHOUT_LIST) for code in known.tolist()], np.int64)[at]


def counted(text: Text, languages: Index) -> Index:
    """How many of its language's stop words each text has; of an unknown language the most of any list's.

    A language without a list has enough.
    """
    hashes, membership = _lists()
    places = np.minimum(np.searchsorted(hashes, text.tokens.hashes), len(hashes) - 1)
    hit = np.flatnonzero(hashes[places] == text.tokens.hashes)
    there = np.bincount(text.doc[hit] * len(hashes) + places[hit], minlength=text.docs * len(hashes)) > 0
    counts = there.reshape(text.docs, len(hashes)).astype(np.int64) @ membership
    own = counts[np.arange(text.docs), np.maximum(languages, 0)]
    return np.select([languages >= 0, languages == UNKNOWN], [own, counts.max(axis=1)], ENOUGH)


@cache
def _lists() -> tuple[NDArray[np.uint64], Index]:
    """Hashes of all stop words, sorted, and which language has which, shape (words, languages)."""
    found = tokens(pa.array(list(WORDS.values())))
    hashes, at = np.unique(found.hashes, return_inverse=True)
    membership = np.zeros((len(hashes), len(LANGUAGES)), np.int64)
    membership[at, np.repeat(np.arange(len(LANGUAGES)), np.diff(found.offsets))] = 1
    return hashes, membership
