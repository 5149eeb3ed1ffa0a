"""The document cameras of rooms: their settings, and the live picture of the table for whoever sets one up.

The picture passes through and is kept nowhere. While a session is open in the room nothing of it is given to anybody.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from etapalvelu.api.bodies import Nothing
from etapalvelu.api.calls import Asked, Call, post
from etapalvelu.changes import differences
from etapalvelu.domain.cameras import CameraSettings, check_camera
from etapalvelu.domain.errors import NotAllowedError, NotFoundError, RoomInUseError
from etapalvelu.domain.people import Device
from etapalvelu.domain.places import Room
from etapalvelu.ports import Board, Change, Clock, PlaceStore, room_topic
from etapalvelu.reports import Reports
from etapalvelu.setups import CameraLook, CameraSetups


class LookBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest look that was seen already; 0 for none."""

    after: Annotated[int, Meta(ge=0)] = 0


class LookAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The newest look at the table; null where the agent showed none yet, or none since."""

    number: int
    look: CameraLook | None


class LookTaken(msgspec.Struct, frozen=True, kw_only=True):
    """Whether anybody wants to see more."""

    wanted: bool


class Cameras:
    """Handlers over places, reports and the set-ups that are open."""

    def __init__(self, *, places: PlaceStore, reports: Reports, setups: CameraSetups, board: Board, clock: Clock) -> None:
        self._places = places
        self._reports = reports
        self._setups = setups
        self._board = board
        self._clock = clock

    async def save(self, asked: Asked, settings: CameraSettings) -> CameraSettings:
        """Keep the settings; the room's agent takes them over at once."""
        room = await self._free_room(asked.id)
        check_camera(settings)
        before = await self._places.camera(room.id)
        if settings != before:
            await self._places.set_camera(room.id, settings)
            await self._record(asked, room, before, settings)
            self._board.announce({room_topic(room.id)})
        return settings

    async def look(self, asked: Asked, body: LookBody) -> LookAnswer:
        """Open the set-up or keep it open, and wait a moment for the next look."""
        room = await self._free_room(asked.id)
        self._setups.watch(room.id)
        number, look = await self._setups.next(room.id, body.after)
        # A session may have been opened while we waited.
        await self._free_room(room.id)
        return LookAnswer(number=number, look=look)

    async def leave(self, asked: Asked, body: Nothing) -> None:
        self._setups.end((await self._room(asked.id)).id)

    async def show(self, asked: Asked, look: CameraLook) -> LookTaken:
        """The agent's look, taken only while somebody wants it and no session is open in its room."""
        if not isinstance(asked.person, Device):
            raise NotAllowedError
        room = await self._free_room(asked.person.room)
        return LookTaken(wanted=self._setups.show(room.id, look.setup, look))

    async def _room(self, room_id: str) -> Room:
        room = await self._places.room(room_id)
        if room is None:
            raise NotFoundError
        return room

    async def _free_room(self, room_id: str) -> Room:
        """Raise `RoomInUseError`, and end the set-up, where a session is open."""
        room = await self._room(room_id)
        if await self._reports.open_in_room(room.id) is not None:
            self._setups.end(room.id)
            raise RoomInUseError(room=room.id)
        return room

    async def _record(self, asked: Asked, room: Room, before: CameraSettings, after: CameraSettings) -> None:
        fields, account = differences(before, after), asked.visitor.account
        await self._places.add_change(Change(at=self._clock(), account=account, kind="camera", id=room.id, fields=fields))


def camera_calls(cameras: Cameras) -> tuple[Call, ...]:
    """The rows of the API for cameras."""
    return (
        post("/rooms/{id}/camera", "Set the room's document camera", cameras.save, CameraSettings, CameraSettings),
        post("/rooms/{id}/camera/look", "See the room's table while no session is open", cameras.look, LookBody, LookAnswer),
        post("/rooms/{id}/camera/leave", "See it no more", cameras.leave, Nothing, None),
        post("/devices/camera", "Show the table to whoever sets the camera up", cameras.show, CameraLook, LookTaken),
    )
