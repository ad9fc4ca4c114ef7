"""What the sentences of a text claim: the sentence without its figures and negations, and these apart.

"Returns are accepted within 30 days." and "... within 14 days." are one sentence with two values; so are
"Sale items can be returned." and "Sale items cannot be returned."
"""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._characters import DIGIT, JOINER, SYMBOL
from openflywheel.curate._enrich.keywords import among
from openflywheel.curate._mixing import mixed
from openflywheel.curate._tokens import Index, Tokens, tokens

Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]

END = r"[.!?…؟।][\"'”’»)\]]*\s+|[。！？]|\n+"  # noqa: RUF001
LEAST, MOST = (
    5,
    60,
)  # words of a claim beside figures and negations: less says too little, more is no sentence
NOISE = (
    (r"(\d{4})-(\d\d)-(\d\d)", r"\1\2\3"),  # a day is one figure
    (r"(\d)[,'’](\d{3})\b", r"\1\2"),  # noqa: RUF001  1,000 is 1000
    (r"(\d+(?:\.\d+){2,})", r"v\1"),  # 3.12.1 names a release: a word, not a figure
    (r"(\d)\.0+\b", r"\1"),  # 30.00 is 30
)

# One word that says no, in the languages where one word does.
NEGATIONS = (
    "not never no without nicht nie niemals kein keine keinen keinem keiner keines ohne ne pas jamais "
    "aucun aucune sans nunca jamás sin ningún ninguna non mai senza nessun nessuna não sem nenhum "
    "nenhuma niet nooit geen zonder inte aldrig utan ikke aldri uden uten nigdy bez не нет никогда без "
    "ні ніколи değil 不 没 沒 無"
)
AUXILIARIES = "do does did"  # stand only beside the not
SHORT = {  # what the rest of a short form says
    "don't": "", "doesn't": "", "didn't": "", "can't": "can", "cannot": "can", "won't": "will", "isn't": "is",
    "aren't": "are", "wasn't": "was", "weren't": "were", "hasn't": "has", "haven't": "have", "hadn't": "had",
    "shouldn't": "should", "wouldn't": "would", "couldn't": "could", "mustn't": "must", "mayn't": "may",
}  # fmt: skip
# After these a number names something, and is as much a part of the sentence as a word.
LABELS = (
    "section sections chapter version versions release page pages figure fig table appendix step part "
    "article rfc pep issue bug line item note number no nr § # kapitel abschnitt seite tabelle "
    "abbildung artikel schritt chapitre tableau étape sección capítulo página versión tabla paso "
    "sezione capitolo pagina tabella versione seção versão hoofdstuk versie stap kapitola версия глава "
    "страница раздел"
)
# These say when a text was written, and nothing about the world.
STAMPS = (
    "modified updated edited generated retrieved accessed posted published copyright © geändert "
    "aktualisiert veröffentlicht modifié publié actualizado publicado aggiornato pubblicato atualizado "
    "bijgewerkt gepubliceerd"
)
MONEY = "$ € £ ¥ ₹ ₽ ₩ ₺ ₴ ₿ % ‰"


class Claims(Struct, frozen=True):
    """n claims. text: which text each is of. key: of the sentence without its values. value: of those."""

    text: Index
    key: Hashes
    value: Hashes


def claims(texts: pa.ChunkedArray, most: int) -> Claims:
    """Of each text up to `most` claims: those with the least keys, so that two texts keep the same ones
    (bottom-k sampling, Cohen & Kaplan 2007, PODC). A sentence that a text says twice with different values is
    a pattern (a table, a log, a list of versions) and no claim.
    """
    text, words = _sentences(texts)
    key, value, says = _read(words)
    order = np.flatnonzero(says)[np.lexsort((value[says], key[says], text[says]))]
    text, key, value = text[order], key[order], value[order]
    again = np.zeros(len(order), bool)
    again[1:] = (np.diff(text) == 0) & (key[1:] == key[:-1])
    varies = np.zeros(len(order), bool)
    varies[1:] = again[1:] & (value[1:] != value[:-1])
    said = np.cumsum(~again) - 1
    kept = np.flatnonzero(~again & (np.bincount(said, varies, minlength=1)[said] == 0))
    rank = np.arange(len(kept)) - np.searchsorted(text[kept], text[kept])
    kept = kept[rank < most]
    return Claims(text[kept], key[kept], value[kept])


def _sentences(texts: pa.ChunkedArray) -> tuple[Index, Tokens]:
    """(text, words) of each sentence."""
    parts = pc.split_pattern_regex(texts, END).combine_chunks()
    flat = pc.list_flatten(parts)
    for pattern, plain in NOISE:
        flat = pc.replace_substring_regex(flat, pattern, plain)
    return pc.list_parent_indices(parts).to_numpy().astype(np.int64), tokens(flat)


def _read(words: Tokens) -> tuple[Hashes, Hashes, Mask]:
    """(key, value, whether it is a claim) of each sentence."""
    sentence = np.repeat(np.arange(len(words.offsets) - 1), np.diff(words.offsets))
    figure = (words.kinds & ~np.uint8(DIGIT | JOINER) == 0) & (words.kinds > 0)
    money = among(words.hashes, _hashes(MONEY))
    figure &= ~(_scope(words, figure, sentence) | _labelled(words, sentence))
    hashes, negative = _plain(words.hashes)
    silent = (negative | among(words.hashes, _hashes(AUXILIARIES))) & (hashes == words.hashes)
    said = ~(silent | money | ((words.kinds & SYMBOL > 0) & ~figure) | (hashes == 0))
    hashes = np.where(figure, np.uint64(1), hashes)
    sizes = np.bincount(sentence[said & ~figure], minlength=len(words.offsets) - 1)
    key = _ordered(hashes, sentence, said, len(sizes))
    value = _ordered(words.hashes, sentence, figure | money, len(sizes))
    no = np.bincount(sentence[negative], minlength=len(sizes)) > 0
    stamps = np.bincount(sentence[among(words.hashes, _hashes(STAMPS))], minlength=len(sizes)) > 0
    return key, value ^ no.astype(np.uint64), (sizes >= LEAST) & (sizes <= MOST) & ~stamps


def _scope(words: Tokens, figure: Mask, sentence: Index) -> Mask:
    """Years beside other figures: "in 2019 it was 5" and "in 2020 it was 6" are both right."""
    year = figure & among(words.hashes, _years())
    others = np.bincount(sentence[figure & ~year], minlength=1 + int(sentence.max(initial=0)))
    return year & (others[sentence] > 0)


def _labelled(words: Tokens, sentence: Index) -> Mask:
    """Words right after a label in their sentence."""
    found = np.zeros(len(sentence), bool)
    found[1:] = among(words.hashes, _hashes(LABELS))[:-1] & (sentence[1:] == sentence[:-1])
    return found


def _ordered(hashes: Hashes, sentence: Index, chosen: Mask, size: int) -> Hashes:
    """One number for the chosen words of each sentence in their order; 0 for none of them."""
    places, hashes = sentence[chosen], hashes[chosen]
    number = (np.arange(len(places)) - np.searchsorted(places, places)).astype(np.uint64)
    total = np.zeros(size, np.uint64)
    if len(places):
        begins = np.flatnonzero(np.append(True, np.diff(places) > 0))
        total[places[begins]] = np.add.reduceat(mixed(hashes ^ mixed(number + np.uint64(1))), begins)
    return mixed(total)


def _plain(hashes: Hashes) -> tuple[Hashes, Mask]:
    """Short forms without their not (0 where nothing is left), and which words say no."""
    short, rest = _short()
    places = np.minimum(np.searchsorted(short, hashes), len(short) - 1)
    hit = short[places] == hashes
    return np.where(hit, rest[places], hashes), hit | among(hashes, _hashes(NEGATIONS))


@cache
def _short() -> tuple[Hashes, Hashes]:
    forms = {form: rest for said, rest in SHORT.items() for form in (said, said.replace("'", "’"))}  # noqa: RUF001
    short = tokens(pa.array(list(forms))).hashes
    rest = np.array([int(_hashes(word)[0]) if word else 0 for word in forms.values()], np.uint64)
    order = np.argsort(short)
    return short[order], rest[order]


@cache
def _years() -> Hashes:
    return _hashes(" ".join(map(str, range(1900, 2100))))


@cache
def _hashes(words: str) -> Hashes:
    return np.unique(tokens(pa.array([words])).hashes)
