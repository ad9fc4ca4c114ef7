"""Words of a passage as strings, joined for each text, without Python for each word."""

import numpy as np

from openflywheel.curate._characters import small
from openflywheel.curate._tokens import Index, Passage

JOINT = "; "


def spelled(passage: Passage, texts: Index, chosen: Index) -> dict[int, str]:
    """text -> its chosen tokens in small letters, "; " between them. Both shape (n,), a text's tokens
    together.
    """
    if not len(chosen):
        return {}
    sizes = passage.tokens.lengths[chosen]
    begins = np.concatenate([[0], np.cumsum(sizes + len(JOINT))])
    word = np.repeat(np.arange(len(chosen)), sizes + len(JOINT))
    place = np.arange(begins[-1]) - begins[word]
    codes = np.full(begins[-1], ord(" "), np.uint32)
    inside = place < sizes[word]
    letters = passage.codes[passage.tokens.starts[chosen][word[inside]] + place[inside]]
    codes[inside] = small()[letters]
    last = np.append(np.diff(texts) > 0, True)
    codes[begins[1:] - len(JOINT)] = np.where(last, ord("\n"), ord(";"))
    joined = codes.astype("<u4").tobytes().decode("utf-32-le").split("\n ")
    return dict(zip(texts[last].tolist(), joined, strict=False))
