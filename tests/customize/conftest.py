"""What several tests of trainers use stands in modules beside them (tiny.py)."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is downloaded by a test
