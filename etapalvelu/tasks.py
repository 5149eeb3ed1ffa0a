"""Background tasks whose errors are seen. The only place that makes a bare task."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

_log = structlog.get_logger("tasks")
_running: set[asyncio.Task[Any]] = set()


def spawn(work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    """Start `work` in the background; an error in it is logged under `name`. Kept alive until it ends."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_ended)
    return task


async def every(seconds: float, deed: Callable[[], Awaitable[object]], name: str) -> None:
    """Do `deed` again and again with a pause of `seconds`; one failure is logged and does not end the series."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await deed()
        except Exception:  # noqa: BLE001 - a timer must outlive whatever one round met; it is logged whole
            _log.exception("round_failed", task=name)


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel the tasks and wait until they are gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def finished(*names: str, seconds: float = 1.0) -> None:
    """Wait until no task of these names runs any more, `seconds` at most: they are short, and hold what is taken down next."""
    loop, until = asyncio.get_running_loop(), asyncio.get_running_loop().time() + seconds
    while (left := until - loop.time()) > 0:
        running = [task for task in _running if task.get_name() in names and task.get_loop() is loop]
        if not running:
            return
        await asyncio.wait(running, timeout=left)


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and task.exception() is not None:
        _log.error("task_failed", task=task.get_name(), exc_info=task.exception())
