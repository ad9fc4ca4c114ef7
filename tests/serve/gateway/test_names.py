from openflywheel.serve._gateway.names import LONGEST, MOST, Names


def test_declared_names_stay_however_many_there_are() -> None:
    declared = [f"up/{i}" for i in range(2 * MOST)]
    names = Names(declared)
    assert [names(name, answered=False) for name in declared] == declared


def test_an_unknown_name_stays_once_it_was_answered() -> None:
    names = Names([])
    assert names("up/new", answered=False) == "up/*"
    assert names("up/new", answered=True) == "up/new"
    assert names("up/new", answered=False) == "up/new"


def test_only_so_many_unknown_names_pass() -> None:
    names = Names(["up/known"])
    passed = {names(f"up/{i}", answered=True) for i in range(10 * MOST)}
    assert len(passed) == MOST + 1
    assert "up/*" in passed
    assert names("up/known", answered=True) == "up/known"


def test_a_long_name_or_one_of_no_provider_is_not_told() -> None:
    names = Names([])
    assert names("up/" + "a" * LONGEST, answered=True) == "up/*"
    assert names("a" * (LONGEST + 1), answered=True) == "*"
    assert len(names("p" * 5_000 + "/m", answered=True)) == LONGEST + 2
