"""The size budget is counted as it says, and it holds."""

import pytest

from benchmarks import size

CODE = '''\
"""A module."""

def short(): return 1


def documented(x):
    """One.

    Two.
    """
    y = x

    return y


class Thing:
    def method(
        self,
    ):
        def inner():
            return 1
        return inner

    async def later(self):
        """Only a docstring."""
'''


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "code.py"
    path.write_text(CODE)
    return path


def test_blank_lines_do_not_count(file):
    assert size.lines(file) == len([line for line in CODE.splitlines() if line])


def test_a_functions_length_is_its_code_without_its_docstring(file):
    assert sorted(size.functions(file)) == [1, 2, 2, 3, 6]


def test_the_budget_holds():
    assert [row.row for row in size.measure() if row.holds is False] == []


def test_all_our_code_is_counted():
    counted = next(row.value for row in size.measure() if row.row == "lines of code")
    assert counted > sum(size.lines(p) for p in (size.ROOT / "openflywheel" / "wheel").glob("*.py")) > 500


def test_it_exits_with_1_when_the_budget_is_broken(monkeypatch, capsys, tmp_path):
    for folder in ("openflywheel", "benchmarks", "tests"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "code.py").write_text(CODE)
    monkeypatch.setattr(size, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["size", "--json"])
    for more, code in (("", 0), ("def long():\n" + "    x = 1\n" * 60, 1)):
        with (tmp_path / "benchmarks" / "code.py").open("a") as file:
            file.write(more)
        (tmp_path / "tests" / "code.py").write_text(CODE * 9)
        with pytest.raises(SystemExit) as left:
            size.main()
        assert int(left.value.code) == code
    assert '"benchmark": "size"' in capsys.readouterr().out
