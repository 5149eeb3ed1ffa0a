"""How rooms' cameras are set, as the store keeps it."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.cameras import CameraSettings, Crop, Mode
from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.themes import ALL_WEEK
from etapalvelu.store.places import SqlPlaces

POINT = ServicePoint(id="rantala", name="Rantala", municipality="Rantala", hours=ALL_WEEK, opens_on=date(2026, 1, 1))
SETTINGS = CameraSettings(
    source="v4l2:/dev/v4l/by-id/usb-DocCam-video-index0",
    mode=Mode(width=3840, height=2160, frames_per_second=15),
    crop=Crop(left=0.1, top=0.25, right=0.95, bottom=1),
    turn=270,
)


async def test_settings_are_read_back_as_they_were_set_and_only_of_their_room(engine: AsyncEngine) -> None:
    places = SqlPlaces(engine)
    await places.add_point(POINT)
    for id in ("rantala-1", "rantala-2"):
        await places.add_room(Room(id=id, name=id, point="rantala", fit_from=None))

    await places.set_camera("rantala-1", CameraSettings(turn=90))
    await places.set_camera("rantala-1", SETTINGS)

    assert await places.camera("rantala-1") == SETTINGS
    assert await places.camera("rantala-2") == CameraSettings()

    await places.set_camera("rantala-1", CameraSettings(source="test:"))
    assert await places.camera("rantala-1") == CameraSettings(source="test:")
