"""`python -m bench [PART ...]`: every measurement, or those named, one by one. Exit 1 when a promised bound is missed.

`python -m bench PART --option ...` gives options to one of them.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Final

from tests.e2e.processes import running_demo

HERE: Final = Path(__file__).parent


def main(words: list[str]) -> int:
    wished = list(takewhile(lambda word: not word.startswith("-"), words))
    options = words[len(wished) :]
    if options and len(wished) != 1:
        print("options are for one part: python -m bench PART --option ...", file=sys.stderr)  # noqa: T201 - a command
        return 2
    unknown = [name for name in wished if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)  # noqa: T201 - a command
        return 2
    return max(PARTS[name](*options) for name in wished or PARTS)


def _calls(*options: str) -> int:
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as demo:
        return _run(str(HERE / "call_setup.py"), "--server", demo.address, "--pair", demo.place("Room screen"), *options)


def _run(*arguments: str) -> int:
    return subprocess.run([sys.executable, *arguments], check=False).returncode  # noqa: S603 - our own scripts


PARTS: Final[dict[str, Callable[..., int]]] = {
    "calls": _calls,
    "idle": partial(_run, "-m", "bench.idle"),
    "page": partial(_run, "-m", "bench.find_page"),
    "live": partial(_run, "-m", "bench.live_page"),
    "reading": partial(_run, "-m", "bench.read_page"),
    "video": partial(_run, "-m", "bench.document_video"),
    "stills": partial(_run, "-m", "bench.stills"),
    "restart": partial(_run, "-m", "bench.restart"),
    "returns": partial(_run, "-m", "bench.returns"),
    "simulate": partial(_run, "-m", "bench.simulate"),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
