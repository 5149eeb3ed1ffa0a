"""Structured log lines on stderr: JSON for machines, text for people. Never a name, a code, a token or an address in them."""

import logging
import sys

import structlog


def configure(level: str, form: str) -> None:
    """`form` is `json` or `text`. Warnings of libraries are written the same way."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=last))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Its request lines hold addresses and whole paths; ours hold the route's pattern (`health.measure`).
    logging.getLogger("aiohttp.access").disabled = True
    logging.getLogger("aiohttp.server").addFilter(_without_address)


def _without_address(record: logging.LogRecord) -> bool:
    """aiohttp names whoever sent what it cannot handle; its traceback says enough."""
    record.msg, record.args = record.msg.removesuffix(" from %s"), ()
    return True
