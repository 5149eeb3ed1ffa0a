"""The program `etapalvelu`: reads its arguments, runs one command, says what went wrong in one line.

Exit 0 when done, 1 when refused or failed, 2 when the command line itself is wrong.
"""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from etapalvelu import logs
from etapalvelu.config import Config, ConfigError, load
from etapalvelu.coturn import coturn_config
from etapalvelu.domain.codes import Language
from etapalvelu.domain.errors import InvalidFieldError, TryAgainError
from etapalvelu.domain.people import STAFF_ROLES, Role, StaffRequest
from etapalvelu.domain.themes import THEMES
from etapalvelu.keys import KeysError
from etapalvelu.passwords import SHORTEST_PASSWORD

CONFIG_NAME = "config.toml"

# What is wrong with a field of the command line, in words; of any field when none is named.
PROBLEMS = {
    ("", "unknown_value"): "there is none of this name",
    ("", "taken"): "there is one of this name already; choose another",
    ("account", "malformed"): "malformed; write up to 40 small letters, digits, dots and dashes",
    ("account", "unknown_value"): "there is none of this name that may sign in; make one with `etapalvelu staff add`",
    ("password", "too_short"): f"too short; at least {SHORTEST_PASSWORD} characters",
    ("point", "required"): "an advisor works at one; name it with --point",
    ("themes", "unknown_value"): f"one is unknown; themes are {', '.join(theme.key for theme in THEMES)}",
}


class RefusedError(Exception):
    """The command cannot do what was asked; the message is one line for a person."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the installed program."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.command(given)
    except (RefusedError, ConfigError, KeysError) as error:
        return _refuse(str(error))
    except InvalidFieldError as error:
        return _refuse(_in_words(error))
    except TryAgainError as error:
        return _refuse(f"the database could not be had: {error.__cause__ or 'try again'}")
    except ModuleNotFoundError as error:
        return _refuse(f"{error.name} is not installed, and this configuration needs it")
    except BrokenPipeError:
        # Whoever read our output has enough; Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 1
    return code


def _in_words(error: InvalidFieldError) -> str:
    words = PROBLEMS.get((error.field, error.problem)) or PROBLEMS.get(("", error.problem)) or error.problem.replace("_", " ")
    return f"{error.field}: {words}"


def _refuse(text: str) -> int:
    print(f"etapalvelu: {' '.join(text.split())}", file=sys.stderr)  # noqa: T201 - a command's own words
    return 1


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's own words


def _progress(number: int) -> None:
    print(f"{number} ...", file=sys.stderr, flush=True)  # noqa: T201 - long work shows that it goes on


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etapalvelu", description="Remote service by video from a joint service point.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_programs(commands)
    _add_upkeep(commands)
    _add_accounts(commands)
    return parser


def _add_programs(commands: Any) -> None:
    """What goes on until it is told to stop."""
    demo = _command(commands, "demo", _demo, "server, room agent and sample people on this machine, to try everything")
    demo.add_argument("--port", type=_port, default=8080, help="port of the demo, on loopback only (8080)")
    demo.add_argument("--data", type=Path, default=Path("demo-data"), metavar="DIR", help="where it keeps its data")
    demo.add_argument("--rooms", type=_rooms, default=1, metavar="N", help="how many rooms; only the first has an agent")

    serve = _command(commands, "serve", _serve, "run the server until SIGTERM")
    serve.add_argument("--config", type=Path, required=True, metavar="FILE")

    room = _command(commands, "room", _room, "run the agent on a room PC: it owns the document camera")
    room.add_argument("--server", required=True, metavar="URL", help="address of the server")
    room.add_argument("--pair", metavar="CODE", help="pairing code, needed once (or ETAPALVELU_PAIR)")
    room.add_argument(
        "--camera",
        metavar="SOURCE",
        help="v4l2:/dev/video0, file:PATH, images:PATTERN, mjpeg:URL, rtsp:URL or test:; without it what is set on the server, "
        "or else v4l2:/dev/video0",
    )
    room.add_argument("--state", type=Path, default=Path("room-state"), metavar="DIR", help="where the credential is kept")
    room.add_argument(
        "--check",
        action="store_true",
        help="look at everything once and say what was found; exit 0 ready, 1 cannot be used, 3 see the remarks. "
        "Not beside a running agent: that one has the camera",
    )
    room.add_argument("--lang", choices=("fi", "sv", "en"), default="en", help="language of what a check says (en)")
    room.add_argument("--ca", type=Path, metavar="FILE", help="certificate of a server that no public authority vouches for")


def _add_upkeep(commands: Any) -> None:
    """What an operator does beside them."""
    check = _command(commands, "check", _check, "say what is wrong with configuration, database and TURN")
    _where(check)
    _where(_command(commands, "migrate", _migrate, "bring the database to this version"))

    log = commands.add_parser("log", help="prove or export the log").add_subparsers(required=True, metavar="COMMAND")
    _where(_command(log, "verify", _log_verify, "prove every session's chain; exit 1 and the first wrong row in words"))
    export = _command(log, "export", _log_export, "write the log to stdout")
    export.add_argument(
        "--format", choices=("csv", "jsonl"), required=True, help="csv: a session a row; jsonl: an event a line"
    )
    _where(export)

    turn = commands.add_parser("turn", help="the TURN server").add_subparsers(required=True, metavar="COMMAND")
    _where(_command(turn, "config", _turn_config, "write the configuration of coturn that goes with ours to stdout"))


def _add_accounts(commands: Any) -> None:
    token = commands.add_parser("token", help="tokens for programs").add_subparsers(required=True, metavar="COMMAND")
    token_add = _command(token, "add", _token_add, "print a bearer token that acts as an account, once")
    token_add.add_argument("account", metavar="ACCOUNT")
    token_add.add_argument("--name", default="", metavar="LABEL", help="what the token is for")
    _where(token_add)

    staff = commands.add_parser("staff", help="staff accounts").add_subparsers(required=True, metavar="COMMAND")
    staff_add = _command(staff, "add", _staff_add, "add an account; the password is asked for, or read from stdin")
    staff_add.add_argument("account", metavar="ACCOUNT")
    staff_add.add_argument("--role", choices=[role.value for role in STAFF_ROLES], required=True)
    staff_add.add_argument("--name", default="", help="as customers and colleagues read it")
    staff_add.add_argument("--title", default="", help="shown after the name")
    staff_add.add_argument("--point", metavar="P", help="limits advisors and supervisors to one service point")
    staff_add.add_argument("--themes", type=_words, default=(), metavar="A,B", help="what an expert serves")
    staff_add.add_argument("--languages", type=_languages, default=(), metavar="fi,sv", help="in which languages")
    _where(staff_add)


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.set_defaults(command=run)
    return parser


def _where(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    where.add_argument("--data", type=Path, metavar="DIR", help="folder of a demo")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def _rooms(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 50:
        raise argparse.ArgumentTypeError("the number of rooms is from 1 to 50")
    return int(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _languages(text: str) -> tuple[Language, ...]:
    try:
        return tuple(Language(word) for word in _words(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"languages are {', '.join(Language)}") from None


def _config(given: argparse.Namespace) -> Config:
    path: Path = given.config if given.config is not None else given.data / CONFIG_NAME
    config = load(path, os.environ)
    # What goes wrong in a command is told by the command itself, in its one line.
    logs.configure(config.log.level if given.command is _serve else "critical", config.log.format)
    return config


def _serve(given: argparse.Namespace) -> int:
    from etapalvelu import app, serving  # noqa: PLC0415 - slow to import

    try:
        asyncio.run(serving.serve(_config(given)))
    except app.StartError as error:
        raise RefusedError(str(error)) from None
    return 0


def _room(given: argparse.Namespace) -> int:
    try:
        from etapalvelu.room import agent  # noqa: PLC0415 - an optional part, and slow to import
    except ImportError as error:
        raise RefusedError(f"the room agent's parts are not installed ({error}); install etapalvelu[room]") from None

    level = "critical" if given.check else "info"
    logs.configure(os.environ.get("ETAPALVELU_LOG__LEVEL", level), os.environ.get("ETAPALVELU_LOG__FORMAT", "json"))
    settings = agent.RoomSettings(
        server=given.server,
        camera=given.camera,
        state_dir=given.state,
        pair=given.pair or os.environ.get("ETAPALVELU_PAIR"),
        ca_file=given.ca,
    )
    try:
        if given.check:
            return _room_check(agent.check_room(settings), given.lang)
        asyncio.run(agent.run_agent(settings))
    except agent.RoomError as error:
        raise RefusedError(str(error)) from None
    return 0


def _room_check(checking: Coroutine[Any, Any, tuple[Sequence[Any], bool]], lang: str) -> int:
    from etapalvelu import room_check  # noqa: PLC0415 - slow to import

    found, is_told = asyncio.run(checking)
    words, code = room_check.report(found, lang, is_told=is_told)
    for line in words:
        _say(line)
    return code


def _demo(given: argparse.Namespace) -> int:
    from etapalvelu import demo  # noqa: PLC0415 - slow to import

    try:
        asyncio.run(demo.run(demo.DemoSettings(port=given.port, data=given.data, rooms=given.rooms), _say))
    except demo.DemoError as error:
        raise RefusedError(str(error)) from None
    return 0


def _check(given: argparse.Namespace) -> int:
    from etapalvelu import checks  # noqa: PLC0415 - slow to import

    findings = asyncio.run(checks.check(_config(given)))
    for finding in findings:
        _say(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what}: {finding.words}")
    return 0 if all(finding.ok for finding in findings) else 1


def _turn_config(given: argparse.Namespace) -> int:
    print(coturn_config(_config(given)), end="")  # noqa: T201 - a command's own words
    return 0


def _with_database(work: Callable[..., Coroutine[Any, Any, int]], given: argparse.Namespace) -> int:
    """Run `work(config, engine)` on a database of this version."""
    from etapalvelu import app, maintenance  # noqa: PLC0415 - slow to import

    async def opened() -> int:
        config = _config(given)
        async with maintenance.database(config) as engine:
            return await work(config, engine)

    try:
        return asyncio.run(opened())
    except app.StartError as error:
        raise RefusedError(str(error)) from None


def _migrate(given: argparse.Namespace) -> int:
    from etapalvelu import app, maintenance  # noqa: PLC0415 - slow to import

    try:
        asyncio.run(maintenance.bring_up(_config(given)))
    except app.StartError as error:
        raise RefusedError(str(error)) from None
    _say("the database is at this program's version")
    return 0


def _log_verify(given: argparse.Namespace) -> int:
    from etapalvelu import maintenance  # noqa: PLC0415 - slow to import
    from etapalvelu.store.sessions import SqlSessions  # noqa: PLC0415 - slow to import

    async def work(_config: Config, engine: Any) -> int:
        number, fault = await maintenance.verify_log(SqlSessions(engine), _progress)
        if fault is not None:
            raise RefusedError(f"the log is not whole: {maintenance.in_words(fault)}")
        _say(f"the log is whole: {number} entries")
        return 0

    return _with_database(work, given)


def _log_export(given: argparse.Namespace) -> int:
    from etapalvelu import maintenance  # noqa: PLC0415 - slow to import
    from etapalvelu.store.sessions import SqlSessions  # noqa: PLC0415 - slow to import

    export = maintenance.export_jsonl if given.format == "jsonl" else maintenance.export_csv

    async def work(_config: Config, engine: Any) -> int:
        await export(SqlSessions(engine), sys.stdout, _progress)
        return 0

    return _with_database(work, given)


def _token_add(given: argparse.Namespace) -> int:
    from etapalvelu import maintenance  # noqa: PLC0415 - slow to import

    async def work(config: Config, engine: Any) -> int:
        _say(await maintenance.access_to(config, engine).add_token(given.account, given.name))
        return 0

    return _with_database(work, given)


def _staff_add(given: argparse.Namespace) -> int:
    from etapalvelu import maintenance  # noqa: PLC0415 - slow to import

    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    request = StaffRequest(
        account=given.account,
        role=Role(given.role),
        password=password,
        name=given.name.strip(),
        title=given.title.strip(),
        point=given.point,
        themes=given.themes,
        languages=given.languages,
    )

    async def work(config: Config, engine: Any) -> int:
        await maintenance.access_to(config, engine).create_account(request)
        _say(f"added {request.account} ({request.role})")
        return 0

    return _with_database(work, given)
