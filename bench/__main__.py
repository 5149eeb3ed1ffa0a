"""`python -m bench`: every measurement, one after the other, on a demo of its own. Exit 1 when a promised bound is missed."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.processes import running_demo

HERE = Path(__file__).parent


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as demo:
        calls = _run(str(HERE / "call_setup.py"), "--server", demo.address, "--pair", demo.place("Room screen"))
    return max(calls, _run("-m", "bench.idle"), _run("-m", "bench.read_page"), _run("-m", "bench.document_video"))


def _run(*arguments: str) -> int:
    return subprocess.run([sys.executable, *arguments], check=False).returncode  # noqa: S603 - our own scripts


sys.exit(main())
