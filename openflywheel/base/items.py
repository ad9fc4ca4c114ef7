"""Items, and what happened to them: records that are no examples of one right answer.

An item's text is what can be found or taken. It carries its id as a fact (`ITEM`) and no label: nobody asked
it. A choice (a label of a rank task) and a sale (a number at a `PRICE`) happened: a hundred of one text are a
hundred, and none of them contradicts another.
"""

from openflywheel.base.nouns import Record

ITEM = "item"  # the fact that is the id of the item that a record is, or is about
PRICE = "price"  # the fact that is the price at which a number came about


def is_item(record: Record) -> bool:
    """Is it an item?"""
    return ITEM in record.meta and not record.labels


def happened(record: Record, kind: str) -> bool:
    """Is it a choice or a sale, with a label of a task of this kind?"""
    return kind == "rank" or (kind == "number" and PRICE in record.meta)
