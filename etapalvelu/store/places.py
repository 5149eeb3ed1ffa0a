"""Service points, rooms, and what is known of the rooms' devices."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from etapalvelu.domain.cameras import CameraSettings
from etapalvelu.domain.codes import DocumentCamera
from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.domain.people import Role
from etapalvelu.domain.places import Room, RoomDevices, ServicePoint
from etapalvelu.domain.readiness import Check, RoomChecks
from etapalvelu.domain.themes import WeekHours
from etapalvelu.ports import Change
from etapalvelu.store import checks, rows, tables
from etapalvelu.store.engine import reading, writing
from etapalvelu.store.gathered import Gathered


class SqlPlaces:
    """`ports.PlaceStore` on SQLAlchemy Core."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._points = Gathered(self._read_points)
        self._rooms = Gathered(self._read_rooms)
        self._devices = Gathered(self._read_devices)
        self._online = Gathered(self._write_online, at_once=1)
        self._all_points = Gathered(self._read_all_points)
        self._rooms_of = Gathered(self._read_rooms_of)
        self._cameras = Gathered(self._read_cameras)
        self._checks = Gathered(self._read_checks)

    async def point(self, point_id: str) -> ServicePoint | None:
        return await self._points.ask(point_id)

    async def points(self) -> list[ServicePoint]:
        return list(await self._all_points.ask("all") or ())

    async def add_point(self, point: ServicePoint) -> None:
        await self._add(insert(tables.point).values(rows.point_row(point)), "point")

    async def change_point(self, point: ServicePoint) -> None:
        await self._change(tables.point, rows.point_row(point))

    async def room(self, room_id: str) -> Room | None:
        return await self._rooms.ask(room_id)

    async def rooms(self, point: str | None = None) -> list[Room]:
        return list(await self._rooms_of.ask(point) or ())

    async def add_room(self, room: Room) -> None:
        """Raises `InvalidFieldError` on `room` when the id is taken or the point is unknown."""
        await self._add(insert(tables.room).values(rows.room_row(room)), "room")

    async def change_room(self, room: Room) -> None:
        await self._change(tables.room, rows.room_row(room))

    async def camera(self, room_id: str) -> CameraSettings:
        return await self._cameras.ask(room_id) or CameraSettings()

    async def set_camera(self, room_id: str, settings: CameraSettings) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(delete(tables.camera).where(tables.camera.c.room == room_id))
            await connection.execute(insert(tables.camera).values(room=room_id, **rows.camera_row(settings)))

    async def theme_hours(self) -> Mapping[str, WeekHours]:
        async with reading(self._engine) as connection:
            found = (await connection.execute(select(tables.theme_hours))).all()
        return {row.theme: rows.to_hours(row.hours) for row in found}

    async def set_theme_hours(self, theme: str, hours: WeekHours | None) -> None:
        table = tables.theme_hours
        async with writing(self._engine) as connection:
            await connection.execute(delete(table).where(table.c.theme == theme))
            if hours is not None:
                await connection.execute(insert(table).values(theme=theme, hours=rows.hours_text(hours)))

    async def add_change(self, change: Change) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(insert(tables.change).values(rows.change_row(change)))

    async def changes(self, limit: int) -> list[Change]:
        query = select(tables.change).order_by(tables.change.c.id.desc()).limit(limit)
        async with reading(self._engine) as connection:
            return [rows.to_change(dict(row)) for row in (await connection.execute(query)).mappings()]

    async def devices(self, wanted: Iterable[str]) -> Mapping[str, RoomDevices]:
        ids = list(wanted)
        if len(ids) != 1:
            return await self._read_devices(ids)
        return {ids[0]: await self._devices.ask(ids[0]) or RoomDevices()}

    async def device_online(self, room: str, role: Role, node: str | None) -> None:
        """What many devices say at once is written in one transaction; it is true when this returns."""
        await self._online.ask((room, role, node))

    async def document_camera(self, room: str, state: DocumentCamera, name: str = "") -> None:
        async with writing(self._engine) as connection:
            await _set_devices(connection, [room], Role.AGENT, {"document_camera": state, "document_camera_name": name})

    async def checks(self, rooms: Iterable[str]) -> Mapping[str, RoomChecks]:
        ids = list(rooms)
        if len(ids) != 1:
            return await self._read_checks(ids)
        return {ids[0]: await self._checks.ask(ids[0]) or RoomChecks()}

    async def ask_check(self, room: str, at: datetime) -> None:
        async with writing(self._engine) as connection:
            await checks.ask(connection, room, at)

    async def add_checks(self, room: str, found: Iterable[Check]) -> None:
        async with writing(self._engine) as connection:
            await checks.keep(connection, room, found)

    async def node_started(self, node: str) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(update(tables.device).where(tables.device.c.node == node).values(node=None))

    async def _read_devices(self, ids: Collection[str]) -> dict[str, RoomDevices]:
        login, device = tables.login.c, tables.device.c
        async with reading(self._engine) as connection:
            paired = (
                await connection.execute(
                    select(login.room, login.role).where(login.room.in_(ids), login.revoked.is_(False)).distinct()
                )
            ).all()
            known = (await connection.execute(select(tables.device).where(device.room.in_(ids)))).all()
        pairs = {(row.room, row.role) for row in paired}
        online = {(row.room, row.role) for row in known if row.node is not None}
        cameras = {row.room: row.document_camera for row in known if row.role == Role.AGENT}
        names = {row.room: row.document_camera_name for row in known if row.role == Role.AGENT}
        return {
            room: RoomDevices(
                screen_paired=(room, Role.ROOM) in pairs,
                screen_online=(room, Role.ROOM) in online,
                agent_paired=(room, Role.AGENT) in pairs,
                agent_online=(room, Role.AGENT) in online,
                document_camera=DocumentCamera(cameras[room]) if cameras.get(room) else None,
                document_camera_name=names.get(room) or "",
            )
            for room in ids
        }

    async def _read_all_points(self, keys: Collection[str]) -> dict[str, list[ServicePoint]]:
        async with reading(self._engine) as connection:
            found = await connection.execute(select(tables.point).order_by(tables.point.c.name))
            points = [rows.to_point(dict(row)) for row in found.mappings()]
        return dict.fromkeys(keys, points)

    async def _read_rooms_of(self, points: Collection[str | None]) -> dict[str | None, list[Room]]:
        """The rooms of each point; of all points under None."""
        query = select(tables.room).order_by(tables.room.c.point, tables.room.c.name)
        if None not in points:
            query = query.where(tables.room.c.point.in_(points))
        async with reading(self._engine) as connection:
            found = [rows.to_room(dict(row)) for row in (await connection.execute(query)).mappings()]
        return {point: [room for room in found if point in (None, room.point)] for point in points}

    async def _read_cameras(self, ids: Collection[str]) -> dict[str, CameraSettings]:
        async with reading(self._engine) as connection:
            found = await connection.execute(select(tables.camera).where(tables.camera.c.room.in_(ids)))
            return {row["room"]: rows.to_camera(dict(row)) for row in found.mappings()}

    async def _read_checks(self, ids: Collection[str]) -> Mapping[str, RoomChecks]:
        async with reading(self._engine) as connection:
            return await checks.of_rooms(connection, list(ids))

    async def _read_points(self, ids: Collection[str]) -> dict[str, ServicePoint]:
        async with reading(self._engine) as connection:
            found = await connection.execute(select(tables.point).where(tables.point.c.id.in_(ids)))
            return {row["id"]: rows.to_point(dict(row)) for row in found.mappings()}

    async def _read_rooms(self, ids: Collection[str]) -> dict[str, Room]:
        async with reading(self._engine) as connection:
            found = await connection.execute(select(tables.room).where(tables.room.c.id.in_(ids)))
            return {row["id"]: rows.to_room(dict(row)) for row in found.mappings()}

    async def _write_online(self, words: Collection[tuple[str, Role, str | None]]) -> dict[tuple[str, Role, str | None], None]:
        alike: dict[tuple[Role, str | None], list[str]] = {}
        for room, role, node in words:
            alike.setdefault((role, node), []).append(room)
        async with writing(self._engine) as connection:
            for (role, node), ids in alike.items():
                await _set_devices(connection, ids, role, {"node": node})
        return {}

    async def _change(self, table: Table, row: dict[str, Any]) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(update(table).where(table.c.id == row["id"]).values(row))

    async def _add(self, statement: Any, field: str) -> None:
        try:
            async with writing(self._engine) as connection:
                await connection.execute(statement)
        except IntegrityError as error:
            raise InvalidFieldError(field, "taken_or_unknown") from error


async def _set_devices(connection: AsyncConnection, ids: Collection[str], role: Role, values: dict[str, Any]) -> None:
    """What is true now of one device of each of these rooms."""
    c = tables.device.c
    these: ColumnElement[bool] = c.room.in_(ids) & (c.role == role)
    changed = await connection.execute(update(tables.device).where(these).values(values))
    if changed.rowcount < len(ids):
        known = set((await connection.execute(select(c.room).where(these))).scalars())
        fresh = [{"room": room, "role": role, **values} for room in ids if room not in known]
        await connection.execute(insert(tables.device), fresh)
