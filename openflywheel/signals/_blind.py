"""Was a label given with regard to the text, or blindly?

A vote says: the right label of this text is T. Blind votes are cast whatever the text is, as by accounts
that agreed on one label. Each vote gets a conformal p-value (Vovk, Gammerman & Shafer 2005; Bates et al.
2023, Ann. Statist. 51:149): the share of recent traffic that lies as near to the known examples of T as the
vote's text does. The text of a blind vote is one more piece of traffic, so its p is uniform, however many
vote, however slowly, and whatever they did before. Honest votes have a small p.

All votes for a label are then a mixture in which p has the density 1 (blind) or a p^(a - 1) (honest): the
beta-uniform mixture of Pounds & Morris (2003, Bioinformatics 19:1236). EM finds the label's share of blind
votes, under a prior, and with it each vote's own chance of being blind.
"""

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.instruments.vectors import Matrix, similarity

NEAR = 8.0  # kernel of the density, as study's: cosines within 1/8 of the highest count most
SHAPE = 0.3  # a: of honest corrections in the shop's sample .55 have p <= .1, .7 have p <= .2, .9 p <= .5
BLIND, WEIGHT = 0.1, 5.0  # the prior: one vote in ten is blind; it weighs as much as five votes
ROUNDS = 50  # of EM

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


def p_values(votes: Matrix, examples: Matrix, speak: Mask, traffic: Matrix) -> Numbers:
    """p of each of n votes for one label, by s examples of it and m pieces of traffic (unit vectors).

    `speak`, shape (n, s), says which examples may speak for a vote; without any, its p is 1.
    """
    share = (speak / np.maximum(speak.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    own = (similarity(votes, examples, NEAR) * share).sum(axis=1)
    usual = similarity(traffic, examples, NEAR) @ share.T
    return np.asarray((1 + (usual >= own).sum(axis=0)) / (1 + len(traffic)), np.float64)


def chances(p: Numbers, doubt: Numbers) -> Numbers:
    """Chance that each vote for one label is blind.

    `doubt` is the model's chance of being wrong there, over its mean in the traffic: honest people correct
    wrong answers, blind votes fall on all alike. It is infinite where a vote is known to be right, 0 where
    it is known to be wrong.
    """
    honest, share = SHAPE * p ** (SHAPE - 1) * doubt, BLIND
    for _ in range(ROUNDS):
        blind = share / (share + (1 - share) * honest)
        share = float((blind.sum() + BLIND * WEIGHT) / (len(p) + WEIGHT))
    return np.asarray(blind)
