"""The real coturn on loopback, with the configuration that `etapalvelu turn config` writes."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import certify
from tests.e2e.processes import free_port
from tests.faults.net import end, wait_for_text

START_SECONDS = 20.0
SECRET = "a-secret-of-coturn"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A running server. `authority` is the file of whoever vouches for its certificate."""

    port: int
    tls_port: int
    log: Path
    authority: Path
    secret: str = SECRET

    def url(self, kind: str) -> str:
        """Its address for udp, tcp or tls."""
        urls = {
            "udp": f"turn:127.0.0.1:{self.port}",
            "tcp": f"turn:127.0.0.1:{self.port}?transport=tcp",
            "tls": f"turns:127.0.0.1:{self.tls_port}",
        }
        return urls[kind]


@contextmanager
def running_turn(folder: Path, *, allowed_peers: Sequence[str] = ("127.0.0.0/8",)) -> Iterator[Turn]:
    """The server from its first answer to its end; `folder` is its own."""
    certify(folder, "127.0.0.1")
    turn = Turn(port=free_port(), tls_port=free_port(), log=folder / "log", authority=folder / "ca.pem")
    urls = [turn.url(kind) for kind in ("udp", "tcp", "tls")]
    (folder / "config.toml").write_text(
        f'[turn]\nurls = {urls}\nsecret = "{SECRET}"\naddress = "127.0.0.1"\nallowed_peers = {list(allowed_peers)}\n'
        'tls_cert = "server.pem"\ntls_key = "server.key"\n',
        encoding="utf-8",
    )
    process = start_turn(folder, turn.log)
    try:
        yield turn
    finally:
        end(process)


def start_turn(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start coturn with what the folder's config.toml asks for."""
    config = folder / "turnserver.conf"
    config.write_text(turn_config(folder / "config.toml"), encoding="utf-8")
    files = [f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'db'}"]
    with log.open("wb") as out:
        process = subprocess.Popen(["turnserver", "-c", str(config), *files], stdout=out, stderr=out, cwd=folder)
    try:
        wait_for_text(log, "initialization done", process, START_SECONDS)
    except AssertionError:
        end(process)
        raise
    return process


def turn_config(ours: Path) -> str:
    """What the program writes for coturn."""
    command = [sys.executable, "-m", "etapalvelu", "turn", "config", "--config", str(ours)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
