"""A sound card for tests: what the browser plays into a null sink comes out of the sink's monitor as its microphone."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.processes import wait_until


@contextmanager
def sound_loop() -> Iterator["SoundLoop"]:
    """PulseAudio with one sink that is heard by the one microphone. Its folder is short: the name of a socket has a limit."""
    folder = Path(tempfile.mkdtemp(prefix="snd"))
    socket = folder / "s"
    environ = {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PULSE_RUNTIME_PATH": str(folder)}
    modules = (
        "module-null-sink sink_name=room",
        # The monitor itself is hidden from browsers, which want a source that is none.
        "module-remap-source master=room.monitor source_name=mic source_properties=device.description=mic",
        f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
    )
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-level=error"]
    process = subprocess.Popen(
        [*command, *(word for module in modules for word in ("-L", module))], env=environ, stderr=subprocess.DEVNULL
    )
    loop = SoundLoop({**environ, "PULSE_SERVER": f"unix:{socket}"})
    try:
        wait_until(socket.exists, 10)
        loop.control("set-default-sink", "room")
        loop.control("set-default-source", "mic")
        yield loop
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


class SoundLoop:
    """`environ` is what a browser is started with to hear and be heard here."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ

    def control(self, *words: str) -> None:
        subprocess.run(["pactl", *words], env=self.environ, check=True, timeout=10, capture_output=True)

    def mute_speaker(self, muted: bool) -> None:
        """The cable of the speaker, pulled: the microphone is there and hears nothing."""
        self.control("set-sink-mute", "room", str(int(muted)))
