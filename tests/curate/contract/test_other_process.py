"""A process that was started anew, with another seed of hashes, gives the same tables, to the last bit."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import contract_cases as cases
import pyarrow as pa
import pytest
from contract_cases import Case

USES = [case for uses in cases.cases()[:2] for case in uses]
PROGRAM = """
import pickle, sys, contract_cases as cases
from pathlib import Path
table, given = pickle.load(sys.stdin.buffer)
found = {str(case): cases.apply(case, plugin, table) for case, plugin in given}
Path(sys.argv[1]).write_bytes(pickle.dumps(found))
"""


@pytest.fixture(scope="module")
def elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """What every step makes of the same table in another process."""
    path = tmp_path_factory.mktemp("elsewhere") / "found"
    given = pickle.dumps((cases.mixed_table(), [(case, case.load(folder)) for case in USES]))
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    where = os.pathsep.join([str(Path(cases.__file__).parent), *sys.path])
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": where}
    subprocess.run([sys.executable, "-c", PROGRAM, path], input=given, env=environment, check=True)
    found: dict[str, pa.Table] = pickle.loads(path.read_bytes())
    return found


@pytest.mark.parametrize("case", USES, ids=str)
def test_another_process_gives_the_same(load, case: Case, elsewhere: dict[str, pa.Table]):
    here = cases.apply(case, load(case), cases.mixed_table())
    assert elsewhere[str(case)].equals(here, check_metadata=True)
