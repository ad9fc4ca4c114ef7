import pytest
import torch

from openflywheel.customize._encoder.packing import pack

IDS = [[5, 6, 7], [8], [9, 10]]


def test_tokens_lie_one_after_the_other_with_their_place_and_their_text():
    packed = pack(IDS)
    assert packed.ids.tolist() == [5, 6, 7, 8, 9, 10]
    assert packed.places.tolist() == [0, 1, 2, 0, 0, 1]
    assert packed.owners.tolist() == [0, 0, 0, 1, 2, 2]
    assert packed.lengths.tolist() == [3, 1, 2]


def test_the_mask_is_true_for_tokens_and_missing_when_all_texts_are_alike_long():
    mask = pack(IDS).mask
    assert mask is not None
    assert mask[:, 0, 0].tolist() == [[True, True, True], [True, False, False], [True, True, False]]
    assert pack([[1, 2], [3, 4]]).mask is None


def test_padding_and_flattening_undo_each_other():
    packed, rows = pack(IDS), torch.randn(6, 8)
    padded = packed.padded(rows, heads=2)
    assert padded.shape == (3, 2, 3, 4)
    torch.testing.assert_close(packed.flat(padded), rows)


def test_heads_get_their_own_channels_and_places_without_a_token_zeros():
    packed = pack(IDS)
    rows = torch.arange(6.0)[:, None] * 10 + torch.arange(4.0)
    padded = packed.padded(rows, heads=2)
    assert padded[0, 0].tolist() == [[0, 1], [10, 11], [20, 21]]
    assert padded[2, 1].tolist() == [[42, 43], [52, 53], [0, 0]]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_means_are_over_each_texts_own_tokens(order):
    rows = {0: [1.0, 2.0, 6.0], 1: [5.0], 2: [4.0, 8.0]}
    packed = pack([IDS[text] for text in order])
    values = torch.tensor([value for text in order for value in rows[text]])[:, None]
    expected = {0: 3.0, 1: 5.0, 2: 6.0}
    assert packed.means(values)[:, 0].tolist() == [expected[text] for text in order]
