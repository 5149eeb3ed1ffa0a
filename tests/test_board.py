"""Notices: who listens to a topic hears of it, once, and nobody else does."""

import asyncio

from etapalvelu.board.local import LocalBoard, LocalNotices

LIMIT = 5


async def hears(notices: LocalNotices) -> bool:
    """Truth that something was announced since the last wait."""
    waiting = asyncio.ensure_future(notices.wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    heard = waiting.done()
    waiting.cancel()
    return heard


async def test_a_listener_hears_its_own_topics() -> None:
    board = LocalBoard()

    async with board.listen({"queue", "room:1"}) as both, board.listen(["room:2"]) as other:
        board.announce({"room:1"})

        assert (await hears(both), await hears(other)) == (True, False)


async def test_notices_between_two_waits_count_as_one() -> None:
    board = LocalBoard()

    async with board.listen(["queue", "room:1"]) as notices:
        board.announce(["queue"])
        board.announce(["queue", "room:1"])

        assert await hears(notices)
        assert not await hears(notices)


async def test_a_waiting_listener_is_woken() -> None:
    board = LocalBoard()

    async with board.listen(["queue"]) as notices, asyncio.timeout(LIMIT):
        waiting = asyncio.ensure_future(notices.wait())
        await asyncio.sleep(0)
        board.announce(["queue"])
        await waiting


async def test_nobody_hears_before_listening_or_afterwards_and_nothing_is_kept() -> None:
    board = LocalBoard()
    board.announce(["queue"])

    async with board.listen(["queue"]) as first, board.listen(["queue"]):
        assert not await hears(first)
    board.announce(["queue"])

    assert not await hears(first)
    assert vars(board) == vars(LocalBoard())


async def test_what_was_announced_before_everything_is_read_anew_is_forgotten() -> None:
    board = LocalBoard()

    async with board.listen(["queue"]) as notices:
        board.announce(["queue"])
        notices.forget()

        assert not await hears(notices)
        board.announce(["queue"])
        assert await hears(notices)
