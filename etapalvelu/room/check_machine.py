"""Looks at the room PC itself: room on its disk, memory, and how busy it is."""

import math
import os
import shutil
from pathlib import Path
from typing import Final

from etapalvelu.room.finding import Finding, at_least, at_most

# Megabytes.
GOOD_DISK: Final = 1000.0
ENOUGH_DISK: Final = 200.0
GOOD_MEMORY: Final = 500.0
ENOUGH_MEMORY: Final = 200.0
# Percent of all cores, over the last minute. A busy PC is told and no more: one that has just started is busy for a while.
GOOD_LOAD: Final = 150.0

_MEMORY: Final = Path("/proc/meminfo")


def machine_findings(state_dir: Path, memory: Path = _MEMORY) -> list[Finding]:
    """Three findings; what this system does not tell is skipped."""
    return [_disk(state_dir), _memory(memory), _load()]


def _disk(folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(folder).free / 1e6
    except OSError:
        return Finding(code="disk", result="skipped", note="not_measured")
    return at_least("disk", round(free), good=GOOD_DISK, enough=ENOUGH_DISK)


def _memory(path: Path) -> Finding:
    try:
        lines = dict(line.split(":", 1) for line in path.read_text(encoding="ascii").splitlines() if ":" in line)
        free = int(lines["MemAvailable"].split()[0]) * 1024 / 1e6
    except (OSError, ValueError, KeyError, IndexError):
        return Finding(code="memory", result="skipped", note="not_measured")
    return at_least("memory", round(free), good=GOOD_MEMORY, enough=ENOUGH_MEMORY)


def _load() -> Finding:
    busy = os.getloadavg()[0] / (os.cpu_count() or 1) * 100
    return at_most("load", round(busy), good=GOOD_LOAD, enough=math.inf)
