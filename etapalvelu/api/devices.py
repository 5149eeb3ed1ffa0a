"""What a room's agent says outside calls: its pairing code once, and how its document camera is."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from etapalvelu.access import Access
from etapalvelu.api import answers
from etapalvelu.api.bodies import PairBody, StatusBody, read
from etapalvelu.api.calls import Asked, Call, post, reply
from etapalvelu.domain.codes import DocumentCamera
from etapalvelu.domain.errors import NotAllowedError
from etapalvelu.domain.people import Device, Role
from etapalvelu.ports import Board, PlaceStore, point_topic, room_topic

# Told how the document camera of a room is, for the log of the session that is held there.
CameraWord = Callable[[str, DocumentCamera], Awaitable[None]]


class Devices:
    """Handlers over access and places."""

    def __init__(self, *, access: Access, places: PlaceStore, board: Board, camera_is: CameraWord) -> None:
        self._access = access
        self._places = places
        self._board = board
        self._camera_is = camera_is

    async def pair(self, request: web.Request) -> web.Response:
        """Open to everybody: the code says which room's agent this is."""
        body = await read(request, PairBody)
        paired = await self._access.pair(body.code, Role.AGENT, request.remote)
        device = paired.visitor.login
        return reply(answers.Paired(credential=paired.secret, room=device.room or "", kind=device.role))

    async def status(self, asked: Asked, body: StatusBody) -> None:
        if not isinstance(asked.person, Device):
            raise NotAllowedError
        await self._places.document_camera(asked.person.room, body.document_camera, body.name)
        await self._camera_is(asked.person.room, body.document_camera)
        self._board.announce({room_topic(asked.person.room), point_topic(asked.person.point)})


def device_calls(devices: Devices) -> tuple[Call, ...]:
    """The rows of the API for the room agent."""
    return (
        Call(
            method="POST",
            path="/devices/pair",
            summary="Pair a room's agent by its code",
            respond=devices.pair,
            body=PairBody,
            answer=answers.Paired,
            is_open=True,
        ),
        post("/devices/status", "How the document camera is", devices.status, StatusBody, None),
    )
