"""What several labellers of unknown skill together say, and how often each of them is right.

Dawid & Skene 1979 (Applied Statistics 28): expectation maximisation over the true labels and each labeller's
confusion matrix. From two or three labels nobody's matrix can be told: each is drawn by `PRIOR` labels
towards the labeller's own share of right ones with everybody's mistakes, that share towards everybody's, and
everybody's mistakes towards equal ones.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.sparse import csr_array

Places = NDArray[np.int64]
Wide = NDArray[np.float64]

PRIOR = 4.0  # labels
RIGHT, WRONG = 3.0, 1.0  # labels that everybody is taken to have given before
MOST_ROUNDS, ENOUGH = 100, 1e-6


class Answers(Struct, frozen=True):
    """Labels of items by labellers, each counted from 0: three arrays of one length, no triple twice."""

    item: Places
    labeller: Places
    label: Places


class Agreed(Struct, frozen=True):
    """truth: probability of each label for each item, shape (items, k). share: of each label, shape (k,).

    right: of a labeller shown an item of each label, shape (labellers, k).
    ways, chances: labeller * k + label, sorted, and the probability that this labeller gives this label to
    items of each true one, shape (ways, k). together: the same for a labeller nobody knows, shape (k, k).
    """

    truth: Wide
    share: Wide
    right: Wide
    ways: Places
    chances: Wide
    together: Wide

    def reliability(self) -> Wide:
        """Probability that a labeller is right about the next item, shape (labellers,)."""
        known: Wide = self.right @ self.share
        return known

    def alone(self, labeller: Places, label: Places) -> Wide:
        """Probability that a label is right which nobody else gave; a labeller below 0 is unknown."""
        way = labeller * len(self.share) + label
        at = np.minimum(np.searchsorted(self.ways, way), len(self.ways) - 1)
        met = self.ways[at] == way
        chance = np.where(met[:, None], self.chances[at], self.together[label]) * self.share
        found: Wide = chance[np.arange(len(label)), label] / chance.sum(axis=1)
        return found


def agreed(answers: Answers, k: int, sure: Places) -> Agreed:
    """Truth and reliability, k labels; `sure` is the label of items that is known, -1 where none is."""
    items, labellers = len(sure), int(answers.labeller.max()) + 1
    # a row for each label that a labeller has ever given: a cube of labellers would not fit into memory
    ways, way = np.unique(answers.labeller * k + answers.label, return_inverse=True)
    who, what = ways // k, ways % k
    one = np.ones(len(way))
    of_way = csr_array((one, (way, answers.item)), shape=(len(ways), items))
    of_labeller = csr_array((one, (answers.labeller, answers.item)), shape=(labellers, items))
    votes = csr_array((one, (answers.item, answers.label)), shape=(items, k)).toarray()
    truth = _certain(votes / votes.sum(axis=1, keepdims=True), sure)
    for _ in range(MOST_ROUNDS):
        share = (truth.sum(axis=0) + 1) / (items + k)
        given, seen = np.asarray(of_way @ truth), np.asarray(of_labeller @ truth)
        together, skill = _together(given, what, k), _skill(given, who, what)
        chances = (given + PRIOR * _expected(together, skill, who, what)) / (seen[who] + PRIOR)
        logs = np.log(share) + np.asarray(of_way.T @ np.log(chances))
        likely = np.exp(logs - logs.max(axis=1, keepdims=True))
        before, truth = truth, _certain(likely / likely.sum(axis=1, keepdims=True), sure)
        if np.abs(truth - before).max() < ENOUGH:
            break
    right = PRIOR * skill[:, None] / (seen + PRIOR)
    right[who, what] = chances[np.arange(len(ways)), what]
    return Agreed(truth, share, right, ways, chances, together)


def _certain(truth: Wide, sure: Places) -> Wide:
    known = np.flatnonzero(sure >= 0)
    truth[known] = 0
    truth[known, sure[known]] = 1
    return truth


def _together(given: Wide, what: Places, k: int) -> Wide:
    """Probability of each label (rows) for items of each true one (columns), over all labellers."""
    counts = np.zeros((k, k))
    np.add.at(counts, what, given)
    right = (np.trace(counts) + RIGHT) / (counts.sum() + RIGHT + WRONG)
    equal = np.full((k, k), (1 - right) / max(k - 1, 1))
    np.fill_diagonal(equal, right)
    found: Wide = (counts + PRIOR * equal) / (counts.sum(axis=0) + PRIOR)
    return found


def _skill(given: Wide, who: Places, what: Places) -> Wide:
    """Share of right labels of each labeller, drawn towards that of all."""
    right = np.bincount(who, given[np.arange(len(what)), what])
    every = np.bincount(who, given.sum(axis=1))
    average = (right.sum() + RIGHT) / (every.sum() + RIGHT + WRONG)
    skill: Wide = (right + PRIOR * average) / (every + PRIOR)
    return skill


def _expected(together: Wide, skill: Wide, who: Places, what: Places) -> Wide:
    """Of each way the chances that its labeller's skill and everybody's mistakes make likely."""
    mistakes = together * (1 - np.eye(len(together)))
    mistakes /= np.maximum(mistakes.sum(axis=0), 1e-12)
    expected: Wide = (1 - skill[who])[:, None] * mistakes[what]
    expected[np.arange(len(what)), what] = skill[who]
    return expected
