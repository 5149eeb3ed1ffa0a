"""Tables that people take along, as CSV."""

import csv
import io
from collections.abc import AsyncIterator, Sequence

from aiohttp import web


async def answer_csv(request: web.Request, rows: AsyncIterator[Sequence[str]], name: str) -> web.StreamResponse:
    """Written as it is read. What `rows` refuses before its first row is still told as a page."""
    first = await anext(rows)
    answer = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})
    answer.content_type, answer.charset = "text/csv", "utf-8"
    await answer.prepare(request)
    await answer.write(_line(first))
    async for row in rows:
        await answer.write(_line(row))
    await answer.write_eof()
    return answer


def _line(row: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(row)
    return text.getvalue().encode()
