from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import strategies as st

SIMPLE = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),  # all that UTF-8 can carry, NUL too
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    NoneType: st.none(),
}


def drawn(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that stands on a noun."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, UnionType):
        return st.one_of([drawn(h) for h in inner])
    if origin is tuple:
        return st.lists(drawn(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(drawn(inner[0]), drawn(inner[1]), max_size=3)
    return SIMPLE[hint] if hint in SIMPLE else any_of(hint)


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any noun of a kind, with a name of its own or named by its content or moment."""
    fields = {
        name: drawn(hint) for name, hint in get_type_hints(kind).items() if name in kind.__struct_fields__
    }
    if "at" in fields:
        fields["at"] = st.floats(0, 2**40)
    return st.builds(kind, **fields)


@pytest.fixture(scope="session")
def nouns():
    """kind -> strategy of its nouns."""
    return any_of
