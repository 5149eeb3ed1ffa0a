"""A camera's set-up: open while somebody looks, one look at a time, forgotten at its end."""

import asyncio

from etapalvelu.board.local import LocalBoard
from etapalvelu.ports import room_topic
from etapalvelu.setups import UNWATCHED_SECONDS, CameraLook, CameraSetups
from tests.fakes import FakeClock

ROOM = "rantala-1"


def setups(clock: FakeClock) -> CameraSetups:
    return CameraSetups(board=LocalBoard(), clock=clock)


def look(setup: str, picture: bytes = b"jpeg") -> CameraLook:
    return CameraLook(setup=setup, camera="ok", picture=picture)


async def test_what_the_agent_shows_is_seen_by_whoever_waits() -> None:
    open_setups = setups(FakeClock())
    id = open_setups.watch(ROOM)
    waiting = asyncio.create_task(open_setups.next(ROOM, 0))  # noqa: TID251 - a test's own
    await asyncio.sleep(0)

    assert open_setups.show(ROOM, id, look(id))
    assert await waiting == (1, look(id))
    assert await open_setups.next(ROOM, 0) == (1, look(id))


async def test_only_the_newest_look_is_kept() -> None:
    open_setups = setups(FakeClock())
    id = open_setups.watch(ROOM)

    for picture in (b"first", b"second", b"third"):
        open_setups.show(ROOM, id, look(id, picture))

    assert await open_setups.next(ROOM, 1) == (3, look(id, b"third"))


async def test_looking_on_keeps_the_same_set_up_open_and_rooms_have_their_own() -> None:
    clock = FakeClock()
    open_setups = setups(clock)
    id = open_setups.watch(ROOM)

    for _ in range(5):
        clock.advance(seconds=UNWATCHED_SECONDS - 1)
        assert open_setups.watch(ROOM) == id

    other = open_setups.watch("rantala-2")
    assert (open_setups.wanted(ROOM), open_setups.wanted("rantala-2")) == (id, other)
    assert id != other
    assert not open_setups.show("rantala-2", id, look(id))


async def test_a_set_up_that_nobody_looks_at_ends_and_takes_nothing_more() -> None:
    clock = FakeClock()
    open_setups = setups(clock)
    id = open_setups.watch(ROOM)
    open_setups.show(ROOM, id, look(id))

    clock.advance(seconds=UNWATCHED_SECONDS + 1)

    assert not open_setups.show(ROOM, id, look(id))
    assert open_setups.wanted(ROOM) == ""
    assert await open_setups.next(ROOM, 0) == (0, None)


async def test_an_ended_set_up_gives_nothing_to_who_waits_for_it() -> None:
    open_setups = setups(FakeClock())
    id = open_setups.watch(ROOM)
    open_setups.show(ROOM, id, look(id))
    waiting = asyncio.create_task(open_setups.next(ROOM, 1))  # noqa: TID251 - a test's own
    await asyncio.sleep(0)

    open_setups.end(ROOM)

    assert await waiting == (1, None)
    assert open_setups.watch(ROOM) != id


async def test_without_a_look_an_answer_comes_all_the_same() -> None:
    open_setups = setups(FakeClock())
    open_setups.watch(ROOM)

    async with asyncio.timeout(5):
        assert await open_setups.next(ROOM, 7) == (0, None)


async def test_the_room_hears_of_a_set_ups_beginning_and_end() -> None:
    board = LocalBoard()
    open_setups = CameraSetups(board=board, clock=FakeClock())

    async with asyncio.timeout(5), board.listen([room_topic(ROOM)]) as notices:
        open_setups.watch(ROOM)
        await notices.wait()
        open_setups.end(ROOM)
        await notices.wait()
    open_setups.end(ROOM)
