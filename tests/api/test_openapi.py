"""The description is valid, complete, and made of the types that answer."""

import json

from openapi_spec_validator import validate

from etapalvelu.doors import DOORS
from tests.doorstep import Doorstep


async def test_the_description_is_valid_openapi(doorstep: Doorstep) -> None:
    answer = await doorstep.client.get("/api/v1/openapi.json")

    described = json.loads(await answer.text())
    validate(described)
    assert (answer.status, described["openapi"]) == (200, "3.1.0")


async def test_every_call_at_the_doors_is_described_and_the_reverse(doorstep: Doorstep) -> None:
    described = await (await doorstep.client.get("/api/v1/openapi.json")).json()

    calls = {(method.upper(), path) for path, item in described["paths"].items() for method in item}
    doors = {(door.method, door.path) for door in DOORS if door.path.startswith("/api/")}
    assert calls == doors - {("GET", "/api/v1/openapi.json")}


async def test_a_call_tells_its_fields_key_and_refusals(doorstep: Doorstep) -> None:
    described = await (await doorstep.client.get("/api/v1/openapi.json")).json()

    opening = described["paths"]["/api/v1/sessions"]["post"]
    taking = described["paths"]["/api/v1/sessions/take"]["post"]
    asking = described["paths"]["/api/v1/sessions"]["get"]
    session = described["components"]["schemas"]["Session"]
    closing = described["paths"]["/api/v1/sessions/{id}/close"]["post"]
    assert opening["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/OpenRequest"}
    assert [parameter["name"] for parameter in opening["parameters"]] == ["Idempotency-Key"]
    assert [parameter["name"] for parameter in closing["parameters"]] == ["id", "Idempotency-Key", "Done-At"]
    assert set(opening["responses"]) == {"201", "default"}
    assert (set(taking["responses"]), taking["requestBody"]["required"]) == ({"200", "204", "default"}, False)
    assert [parameter["name"] for parameter in asking["parameters"]] == [
        "from", "to", "point", "theme", "state", "cursor", "limit",
    ]  # fmt: skip
    assert session["required"] == [
        "id", "point", "room", "theme", "language", "state", "opened_at", "claimed_at", "connected_at", "closed_at",
        "waiting_seconds", "service_seconds", "advisor", "expert", "close_cause", "outcomes",
    ]  # fmt: skip
