"""The description of the API, made from the same types and rows that answer it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from etapalvelu.api.answers import Problem
from etapalvelu.api.calls import KEY_HEADER, LONGEST_KEY, SINCE_HEADER, Call
from etapalvelu.api.problems import CONTENT_TYPE

_REF = "#/components/schemas/{name}"
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def describe(calls: Sequence[Call], prefix: str, version: str) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    types = {type_ for call in calls for type_ in (call.answer, call.body, call.query) if type_ is not None} | {Problem}
    ordered = sorted(types, key=lambda type_: type_.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    by_type = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(prefix + call.path, {})[call.method.lower()] = _operation(call, by_type, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Etäpalvelu", "version": version, "description": "Remote service by video: sessions, queue, rooms."},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token", "description": "With a login's cookie."},
            },
        },
    }


def _operation(call: Call, schemas: Mapping[type, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(call),
        "summary": call.summary,
        "parameters": list(_parameters(call, components)),
        "responses": _responses(call, schemas),
        "security": [] if call.is_open else [{"bearer": []}, {"csrf": []}],
    }
    if call.body is not None:
        required = any(field.required for field in msgspec.structs.fields(call.body))
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": schemas[call.body]}}}
    elif call.is_binary and call.method == "POST":
        operation["requestBody"] = {"required": True, "content": _BYTES}
    return operation


def _responses(call: Call, schemas: Mapping[type, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "default": {"description": "Refused", "content": {CONTENT_TYPE: {"schema": schemas[Problem]}}},
    }
    if call.answer is not None:
        content = {"application/json": {"schema": schemas[call.answer]}}
        responses[str(call.status)] = {"description": "Done", "content": content}
    elif call.is_binary:
        responses[str(call.status)] = {"description": "Bytes", "content": _BYTES}
        return responses
    if call.answer is None or call.may_be_empty:
        responses["204"] = {"description": "Nothing to say"}
    return responses


def _parameters(call: Call, components: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    if "{id}" in call.path:
        yield {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    if call.query is not None:
        for name, schema in components[call.query.__name__]["properties"].items():
            yield {"name": name, "in": "query", "required": False, "schema": schema}
    if call.has_key:
        schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"}
        yield {"name": KEY_HEADER, "in": "header", "required": False, "schema": schema}
    if call.may_be_late:
        yield {
            "name": SINCE_HEADER,
            "in": "header",
            "required": False,
            "schema": {"type": "string", "format": "date-time"},
            "description": f"When it was done, if it is reported late; needs {KEY_HEADER}.",
        }


def _operation_id(call: Call) -> str:
    words = call.path.replace("{id}", "one").strip("/").replace("/", "_")
    return f"{call.method.lower()}_{words}"
