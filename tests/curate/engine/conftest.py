"""The steps of these tests stand in a module that spawned processes can import by name."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
