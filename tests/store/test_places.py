"""Points, rooms, and what is known of a room's devices."""

from datetime import date, time

import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.codes import DocumentCamera
from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.domain.people import Role
from etapalvelu.domain.places import Room, RoomDevices, ServicePoint
from etapalvelu.domain.themes import ALL_WEEK, Hours
from etapalvelu.ports import Change, Login
from etapalvelu.store.accounts import SqlAccounts
from etapalvelu.store.places import SqlPlaces
from tests.domain.samples import NOW

POINT = ServicePoint(
    id="rantala",
    name="Rantalan yhteispalvelupiste",
    municipality="Rantala",
    hours={0: Hours(time(9), time(16, 30)), 4: Hours(time(9), time(12))},
    opens_on=date(2026, 8, 15),
    phone="020 000 0000",
)
CITY = ServicePoint(id="kaupunki", name="Kaupunki", municipality="Kaupunki", hours=ALL_WEEK, opens_on=date(2026, 1, 1))
ROOM = Room(id="rantala-1", name="Huone 1", point="rantala", fit_from=date(2026, 9, 1))
COLD = Room(id="rantala-2", name="Huone 2", point="rantala", fit_from=None)
CITY_ROOM = Room(id="kaupunki-1", name="Huone 1", point="kaupunki", fit_from=date(2026, 1, 1))


@pytest.fixture
async def places(engine: AsyncEngine) -> SqlPlaces:
    places = SqlPlaces(engine)
    for point in (POINT, CITY):
        await places.add_point(point)
    for room in (ROOM, COLD, CITY_ROOM):
        await places.add_room(room)
    return places


async def test_points_and_rooms_are_read_back_as_they_were_added(places: SqlPlaces) -> None:
    assert await places.points() == [CITY, POINT]
    assert (await places.point("rantala"), await places.point("nowhere")) == (POINT, None)
    assert await places.rooms() == [CITY_ROOM, ROOM, COLD]
    assert await places.rooms("rantala") == [ROOM, COLD]
    assert (await places.room("rantala-2"), await places.room("nowhere")) == (COLD, None)


async def test_points_and_rooms_are_changed_and_the_others_are_not(places: SqlPlaces) -> None:
    point, room = replace(POINT, name="Uusi", in_use=False), replace(ROOM, name="Uusi", fit_from=None, in_use=False)

    await places.change_point(point)
    await places.change_room(room)

    assert await places.points() == [CITY, point]
    assert await places.rooms() == [CITY_ROOM, COLD, room]


async def test_a_themes_hours_are_given_changed_and_taken_back(places: SqlPlaces) -> None:
    own = [await places.theme_hours()]
    for hours in (POINT.hours, ALL_WEEK, None):
        await places.set_theme_hours("pensions", hours)
        own.append(await places.theme_hours())

    assert own == [{}, {"pensions": POINT.hours}, {"pensions": ALL_WEEK}, {}]


async def test_changes_are_kept_and_told_newest_first(places: SqlPlaces) -> None:
    first = Change(at=NOW, account="anni", kind="room", id="rantala-1", fields={"name": ("Huone 1", "Uusi")})
    second = Change(at=NOW, account="anni", kind="staff", id="eero", fields={"in_use": (True, False)})
    for change in (first, second):
        await places.add_change(change)

    assert await places.changes(5) == [second, first]
    assert await places.changes(1) == [second]


async def test_a_name_that_is_taken_and_a_point_that_is_unknown_are_told(places: SqlPlaces) -> None:
    with pytest.raises(InvalidFieldError) as taken_point:
        await places.add_point(replace(POINT, name="Another"))
    with pytest.raises(InvalidFieldError) as taken_room:
        await places.add_room(replace(ROOM, name="Another"))
    with pytest.raises(InvalidFieldError) as unknown:
        await places.add_room(Room(id="x-1", name="X", point="nowhere", fit_from=None))

    assert [refusal.value.field for refusal in (taken_point, taken_room, unknown)] == ["point", "room", "room"]
    assert await places.points() == [CITY, POINT]


async def test_a_room_is_known_by_what_its_devices_say(places: SqlPlaces, engine: AsyncEngine) -> None:
    accounts = SqlAccounts(engine)
    for number, role in enumerate((Role.ROOM, Role.AGENT)):
        login = Login(id=f"d{number}", kind="device", account="-", role=role, room="rantala-1", created_at=NOW)
        await accounts.replace_device(login)
        await places.device_online("rantala-1", role, "node-1")
    await places.document_camera("rantala-1", DocumentCamera.OPENING)
    await places.document_camera("rantala-1", DocumentCamera.OK)
    await places.document_camera("rantala-2", DocumentCamera.LOST, "DocCam 4K")

    assert await places.devices(["rantala-1", "rantala-2", "kaupunki-1"]) == {
        "rantala-1": RoomDevices(
            screen_paired=True,
            screen_online=True,
            agent_paired=True,
            agent_online=True,
            document_camera=DocumentCamera.OK,
        ),
        "rantala-2": RoomDevices(document_camera=DocumentCamera.LOST, document_camera_name="DocCam 4K"),
        "kaupunki-1": RoomDevices(),
    }
    await accounts.revoke_login("d0")
    await places.device_online("rantala-1", Role.AGENT, None)
    assert await places.devices(["rantala-1"]) == {
        "rantala-1": RoomDevices(agent_paired=True, screen_online=True, document_camera=DocumentCamera.OK)
    }


async def test_a_node_that_starts_forgets_its_own_streams_and_no_others(places: SqlPlaces) -> None:
    await places.device_online("rantala-1", Role.ROOM, "node-1")
    await places.device_online("rantala-2", Role.ROOM, "node-2")

    await places.node_started("node-1")

    devices = await places.devices(["rantala-1", "rantala-2"])
    assert [devices[room].screen_online for room in ("rantala-1", "rantala-2")] == [False, True]


async def test_nothing_is_known_of_no_rooms(places: SqlPlaces) -> None:
    assert await places.devices([]) == {}
