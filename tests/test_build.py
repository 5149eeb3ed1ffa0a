"""The packages: built from the checkout, installed outside it, and used there."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.e2e.processes import free_port

pytestmark = [pytest.mark.build, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[1]
LOCKED = ROOT / "requirements" / "demo.txt"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    for kind in ("sdist", "wheel"):
        subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)], cwd=ROOT, check=True)
    return folder


def test_the_wheel_holds_what_the_server_reads(built: Path) -> None:
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())

    wanted = {f"etapalvelu/{path.relative_to(ROOT)}" for path in (ROOT / "web").rglob("*") if path.is_file()}
    assert wanted - names == set()
    assert "etapalvelu/store/migrations/versions/0001_the_first_tables.py" in names


@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_it_works_when_installed_elsewhere(built: Path, tmp_path: Path, pattern: str) -> None:
    home = tmp_path / "venv"
    # The locked packages are lent by the checkout's environment; its link to the checkout is not followed from there.
    venv.create(home, with_pip=True)
    here = next(Path(sys.prefix).glob("lib/python*/site-packages"))
    next(home.glob("lib/python*/site-packages")).joinpath("locked.pth").write_text(f"{here}\n")
    python = home / "bin" / "python"
    package = next(built.glob(pattern))
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--force-reinstall",
        str(package),
    ]
    subprocess.run(install, cwd=tmp_path, check=True)

    begun = [str(home / "bin" / "etapalvelu"), "demo", "--port", str(free_port()), "--data", str(tmp_path / "data")]
    lines = _until_ready(begun, tmp_path)
    where = subprocess.run(
        [str(python), "-c", "import etapalvelu; print(etapalvelu.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert where.stdout.startswith(str(home))
    assert lines[-1] == "ready"


def _until_ready(command: list[str], folder: Path) -> list[str]:
    lines: list[str] = []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line == "ready\n":
                process.terminate()
    return lines
