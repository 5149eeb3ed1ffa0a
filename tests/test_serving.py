"""What a start of the server leaves alone: it is back the sooner."""

import subprocess
import sys

# What commands and the room's program need, or what is asked for later; each costs a start a tenth of a second or more.
LEFT_ALONE = {"alembic", "mako", "holidays", "numpy", "cv2", "av", "aiortc", "weasyprint", "xlsxwriter", "playwright"}


def test_a_start_imports_nothing_that_it_does_not_need() -> None:
    program = "import sys; from etapalvelu import cli, app, serving; print(*{name.split('.')[0] for name in sys.modules})"

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert LEFT_ALONE & set(found) == set()
    assert {"aiohttp", "sqlalchemy", "etapalvelu"} <= set(found)
