"""`python -m bench`: every measurement, one after the other, on a demo of its own. Exit 1 when a promised bound is missed."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.processes import running_demo

HERE = Path(__file__).parent


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as demo:
        calls = subprocess.run([sys.executable, str(HERE / "call_setup.py"), "--server", demo.address], check=False)
    idle = subprocess.run([sys.executable, "-m", "bench.idle"], check=False)
    return max(calls.returncode, idle.returncode)


sys.exit(main())
