"""A tiny world: topics with their words, and an encoder that knows which words belong together."""

import re

import numpy as np
import pytest

TOPICS = (
    "money refund back paid returns amount card cash",
    "parcel delivery orders shipment tracking arrive come days",
    "sign account password login access reset",
    "phone android app system requirements storage run old",
    "plan pricing subscription cost bigger billed",
    "picture photos print image quality blurred printed dots",
    "park parking car night tickets entrance",
    "alcohol medicine drink safe interactions",
    "battery batteries dispose disposal recycle bin waste throw",
    "shoes trail running fit size",
)
WORDS = {word: i for i, line in enumerate(TOPICS) for word in line.split()}


class TopicEncoder:
    """The share of each topic in a text, as unit vectors; `texts` are all that it was asked for."""

    def __init__(self):
        self.texts = []

    def encode(self, texts):
        self.texts += texts
        return np.array([self._vector(text) for text in texts], np.float32).reshape(len(texts), -1)

    def _vector(self, text):
        vector = np.full(len(TOPICS) + 1, 0.02)
        vector[-1] = 0.3
        for word in re.findall(r"[a-z]+", text.casefold()):
            if word in WORDS:
                vector[WORDS[word]] += 1
        return vector / np.linalg.norm(vector)


@pytest.fixture
def encoder():
    return TopicEncoder()
