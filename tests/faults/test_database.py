"""The database is locked, away, or has no room, and handles run out: new work is refused with a reason, the rest goes on."""

import asyncio
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.faults.mother import Mother
from tests.faults.people import People, RefusedDeedError, in_service, people_of, until
from tests.faults.rig import Rig

# With what a refusal may come at the latest: the promised three seconds and a little.
REFUSED_SECONDS = 4.5
STOPPED_SECONDS = 5.0

DISK_BYTES = 48 * 1024 * 1024

# As many writes as sessions under way may still need when the disk is full.
WRITES = 200


@pytest.mark.timeout(120)
@pytest.mark.lasting(4, 30)
async def test_a_write_lock_held_by_another_program_refuses_and_interrupts_nobody(
    rig: Rig, people: People, lasting: int
) -> None:
    rig.start()
    async with in_service(rig, people) as (session, screen, expert):
        with rig.sqlite(write_lock=True):
            begun = time.monotonic()
            refused = await _refusal(people, "rantala-2")
            refused_after = time.monotonic() - begun
            reading = (await people.expert.read(session))["state"]
            asked = asyncio.ensure_future(people.expert.note(session, "advised"))
            await asyncio.sleep(max(0.0, lasting - (time.monotonic() - begun)))
        await asked
        await people.expert.close(session, "completed")

        assert (refused.status, refused.code, refused.headers.get("Retry-After")) == (503, "try_again", "2")
        assert refused_after <= REFUSED_SECONDS
        assert reading == "connected"
        assert await screen.over() == "completed"
        assert (len(screen.welcomes), len(expert.welcomes)) == (1, 1)
    assert rig.types(session) == ["opened", "joined", "claimed", "joined", "connected", "noted", "closed"]
    rig.agrees(all_ended=True)


@pytest.mark.timeout(60)
async def test_a_server_told_to_stop_ends_in_time_while_many_wait_for_the_database(rig: Rig, people: People) -> None:
    rig.start()
    with rig.sqlite(write_lock=True):
        asking = [asyncio.ensure_future(_refusal(people, room)) for room in ("rantala-1", "rantala-2") * 10]
        await asyncio.sleep(0.5)
        seconds = await asyncio.to_thread(rig.terminate)
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)

    assert seconds <= STOPPED_SECONDS


@pytest.mark.timeout(150)
@pytest.mark.lasting(2, 60)
async def test_a_database_that_is_away_is_waited_for(rig: Rig, people: People, lasting: int) -> None:
    """Its file is gone: nothing is written beside it, and no empty one is made in its place."""
    rig.start()
    away = rig.database.with_suffix(".away")
    async with in_service(rig, people) as (session, screen, expert):
        rig.database.rename(away)
        refused = await _refusal(people, "rantala-2")
        ready = rig.get("/readyz"), rig.get("/healthz")
        asked = asyncio.ensure_future(people.expert.close(session, "completed"))
        await asyncio.sleep(lasting)
        was_made = rig.database.exists()
        away.rename(rig.database)
        await asked

        assert (refused.status, refused.code) == (503, "try_again")
        assert ready == (503, 200)
        assert not was_made
        assert await screen.over() == "completed"
        assert (len(screen.welcomes), len(expert.welcomes)) == (1, 1)
    rig.agrees(all_ended=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here; a limit on file sizes is tried instead")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=False)


@pytest.mark.slow
async def test_a_full_disk_refuses_new_sessions_and_lets_the_others_end(
    small_disk: Path, prepared: Path, mother: Mother, tmp_path: Path
) -> None:
    rig = Rig(small_disk, prepared, records=tmp_path, mother=mother)
    with ExitStack() as stack:
        stack.callback(rig.end)
        rig.start()
        async with people_of(rig) as people:
            await _fills_up(rig, people, small_disk / "filler")
        rig.agrees(all_ended=True)


async def _fills_up(rig: Rig, people: People, filler: Path) -> None:
    async with in_service(rig, people) as (session, screen, expert):
        await until(lambda: _reserve_is_laid(rig))
        _fill(filler)
        refused = await _refused_for_want_of_room(people)
        for _ in range(WRITES):
            await people.expert.note(session, "advised")
        await people.expert.close(session, "completed", outcomes=["advised"])
        assert await screen.over() == "completed"
        still_refused = await _refusal(people, "rantala-2")
        _empty(filler)
        # It is asked again until there is room.
        later = await people.advisor.open("rantala-2")
        await people.advisor.close(later["id"], "cancelled")

        assert (refused.status, refused.code, refused.headers.get("Retry-After")) == (503, "storage_full", "30")
        assert still_refused.code == "storage_full"
        assert (len(screen.welcomes), len(expert.welcomes)) == (1, 1)


async def test_files_that_may_not_grow_are_told_like_a_full_disk(rig: Rig, people: People) -> None:
    """A quota, as a limit on file sizes stands for it: the database's own files still hold what is under way."""
    rig.start()
    assert rig.process is not None
    async with in_service(rig, people) as (session, screen, _expert):
        await until(lambda: _reserve_is_laid(rig))
        largest = max(path.stat().st_size for path in rig.folder.glob("etapalvelu.sqlite*"))
        resource.prlimit(rig.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        for _ in range(WRITES):
            await people.expert.note(session, "advised")
        await people.expert.close(session, "completed", outcomes=["advised"])
        assert await screen.over() == "completed"
        resource.prlimit(rig.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        later = await people.advisor.open("rantala-2")
        await people.advisor.close(later["id"], "cancelled")
    rig.agrees(all_ended=True)


async def test_handles_that_run_out_shut_nobody_out_who_is_in_a_session(rig: Rig, people: People) -> None:
    """More connections than there are handles, on which nobody says anything."""
    rig.start(limits={resource.RLIMIT_NOFILE: 160})
    with ExitStack() as stack:
        async with in_service(rig, people) as (session, screen, expert):
            for _ in range(300):
                idle = stack.enter_context(socket.socket())
                idle.setblocking(False)
                idle.connect_ex(("127.0.0.1", rig.port))
            begun = time.monotonic()
            await people.expert.note(session, "advised")
            noted_after = time.monotonic() - begun
            await people.expert.close(session, "completed")
            assert await screen.over() == "completed"
            later = await people.advisor.open("rantala-2")
            await people.advisor.close(later["id"], "cancelled")

            assert noted_after <= 10
            assert (len(screen.welcomes), len(expert.welcomes)) == (1, 1)
    assert "connections_crowded" in rig.log()
    rig.agrees(all_ended=True)


async def _refusal(people: People, room: str) -> RefusedDeedError:
    try:
        opened = await people.advisor.open(room, patient=False)
    except RefusedDeedError as refusal:
        return refusal
    raise AssertionError(f"opened: {opened}")


async def _refused_for_want_of_room(people: People) -> RefusedDeedError:
    """The server looks at its disk every few seconds; until then a session still fits."""
    while True:
        try:
            opened = await people.advisor.open("rantala-2", patient=False)
        except RefusedDeedError as refusal:
            return refusal
        await people.advisor.close(opened["id"], "cancelled")
        await asyncio.sleep(0.5)


def _reserve_is_laid(rig: Rig) -> bool:
    with rig.sqlite() as connection:
        return int(connection.execute("PRAGMA freelist_count").fetchone()[0]) > 1000


def _fill(path: Path) -> None:
    """To the last block."""
    with path.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    assert shutil.disk_usage(path.parent).free == 0


def _empty(path: Path) -> None:
    path.unlink()
