import numpy as np
import pytest
import torch

from openflywheel.customize._encoder.losses import SCALE, TEMPERATURE, Classify, Contrast, loss_of


def unit(rows):
    return torch.nn.functional.normalize(torch.tensor(rows, dtype=torch.float32), dim=1)


def by_hand(vectors, right, weight):
    """Khosla et al., equation 2, row by row."""
    total, counted = 0.0, 0.0
    for i in range(len(vectors)):
        others = [j for j in range(len(vectors)) if j != i]
        positives = [j for j in others if right[j] == right[i]]
        if positives:
            below = np.log(sum(np.exp(vectors[i] @ vectors[j] / TEMPERATURE) for j in others))
            each = [below - vectors[i] @ vectors[j] / TEMPERATURE for j in positives]
            total, counted = total + weight[i] * np.mean(each), counted + weight[i]
    return total / counted


def test_the_contrastive_loss_is_that_of_the_paper():
    vectors = unit(np.random.default_rng(0).normal(size=(6, 4)))
    right, weight = [0, 0, 1, 1, 1, 2], [1.0, 2.0, 0.5, 1.0, 1.0, 3.0]
    value = Contrast()(vectors, torch.tensor(right), torch.tensor(weight))
    assert value.item() == pytest.approx(by_hand(vectors.numpy(), right, weight), rel=1e-4)


def test_without_two_rows_of_any_class_there_is_nothing_to_draw_together():
    vectors = unit(np.random.default_rng(0).normal(size=(3, 4))).requires_grad_()
    value = Contrast()(vectors, torch.tensor([0, 1, 2]), torch.ones(3))
    value.backward()
    assert value.item() == 0
    assert torch.isfinite(vectors.grad).all()


def test_classes_begin_where_they_are_told_and_learn():
    loss = Classify(np.eye(3, 4, dtype=np.float32))
    value = loss(unit(np.eye(3, 4)), torch.tensor([0, 1, 2]), torch.ones(3))
    assert value.item() == pytest.approx(np.log(1 + 2 * np.exp(-SCALE)), abs=1e-6)
    wrong = loss(unit(np.eye(3, 4)), torch.tensor([1, 2, 0]), torch.ones(3))
    assert wrong.item() == pytest.approx(SCALE, rel=1e-3)
    wrong.backward()
    assert loss.learned["classes"].grad.abs().max() > 0


@pytest.mark.parametrize("name", ["classify", "contrast"])
def test_a_row_counts_by_its_weight(name):
    vectors = unit([[1, 0.2], [0.2, 1], [0, 1], [0.3, 1]])
    right = torch.tensor([0, 0, 1, 1])  # the second row is among the others
    loss = loss_of(name, np.eye(2, dtype=np.float32))
    doubted = loss(vectors, right, torch.tensor([1.0, 0.01, 1.0, 1.0]))
    trusted = loss(vectors, right, torch.ones(4))
    assert doubted < trusted


@pytest.mark.parametrize("name", ["classify", "contrast"])
def test_an_epoch_takes_every_row_once_and_two_differ(name):
    right = np.random.default_rng(1).integers(0, 7, 50)
    loss, random = loss_of(name, np.eye(7, dtype=np.float32)), np.random.default_rng(0)
    first, second = (loss.order(right, random) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first.tolist() != second.tolist()
    again = loss.order(right, np.random.default_rng(0))
    assert again.tolist() == first.tolist()


def test_rows_of_a_class_come_in_pairs():
    right = np.repeat(np.arange(10), 5)
    order = Contrast().order(right, np.random.default_rng(0))
    said = right[order]
    beside = sum(
        said[i] in (said[i - 1] if i else -1, said[i + 1] if i < 49 else -1) for i in range(len(said))
    )
    assert beside >= 40  # four of the five rows of each class have a companion
