"""What the API is, in OpenAPI 3.1: derived from the reads, so that it cannot be wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from sqlalchemy import ARRAY, JSON, Boolean, Integer, LargeBinary, Numeric, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP

from inventory.web import problem
from inventory.web.api import media
from inventory.web.api.parameters import Parameter
from inventory.web.api.read import Read

Schema = dict[str, Any]

REFUSALS = {
    401: "No token that is valid, where one is needed.",
    403: "A token whose scope does not reach, or a page of another origin.",
    406: "No form that `Accept` names is offered.",
    413: "A body, where none is expected.",
    421: "A `Host` that is not ours.",
    422: "A parameter that is unknown, repeated or cannot be used; `errors` says which and why.",
    503: "The database cannot answer, or not in time; `Retry-After` says when to try again.",
}
"""How a read may be refused, besides 404 where the path names what there is not."""

NUMBER = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "A number: its id, or its E.164 number in any spelling.",
    "schema": {"type": "string", "minLength": 1},
    "example": "+12024999741",
}


def description(reads: Sequence[Read], others: Mapping[str, Any]) -> Schema:
    """The whole of it: *reads*, and the paths of *others* as they describe themselves."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "inventory",
            "version": version("inventory"),
            "description": "RingCentral Contact Center phone numbers: as they are, as they were, "
            "and as they were known. Keys are SQL columns, instants ISO 8601 in UTC.",
        },
        "security": [{"token": []}, {}],
        "paths": {read.path: {"get": _operation(read)} for read in reads} | dict(others),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Of `inventory token create`. Not needed on the machine itself, "
                    "while there is no token and nobody is to reach it from outside.",
                },
                "verification": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Verification-Token",
                    "description": "RingCentral's, of `INVENTORY_WEBHOOK_TOKEN`.",
                },
            },
            "schemas": {"problem": PROBLEM} | {f"{read.name}_row": _row(read) for read in reads},
            "responses": {str(status): refused(status, why) for status, why in REFUSALS.items()},
        },
    }


def refused(status: int, why: str) -> Schema:
    """The response of a refusal."""
    return {
        "description": f"{HTTPStatus(status).phrase}. {why}",
        "content": {problem.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/problem"}}},
    }


def _operation(read: Read) -> Schema:
    row = {"$ref": f"#/components/schemas/{read.name}_row"}
    page = {
        "type": "object",
        "properties": {
            "rows": {"type": "array", "items": row},
            "next": {
                "type": ["string", "null"],
                "description": "The `cursor` of the next page; null: this was the last.",
            },
        },
        "required": ["rows", "next"],
        "additionalProperties": False,
    }
    parameters = [_parameter(parameter) for parameter in read.parameters]
    refusals: Schema = {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in REFUSALS
    }
    if "{id}" in read.path:
        parameters.insert(0, NUMBER)
        refusals["404"] = refused(404, "No event speaks of such a number, or it was not in.")
    return {
        "operationId": read.name,
        "summary": read.summary.partition(".")[0],
        "description": read.summary,
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "The rows.",
                "headers": {
                    "ETag": {
                        "description": "Differs when the answer does; of no stream that is not "
                        "decided by the log.",
                        "schema": {"type": "string"},
                    },
                    "Link": {
                        "description": "The next page, as `next`.",
                        "schema": {"type": "string"},
                    },
                },
                "content": {
                    media.JSON: {"schema": row if read.one else page},
                    media.CSV: {"schema": {"type": "string"}},
                    media.NDJSON: {"schema": {"type": "string"}},
                },
            },
            "304": {"description": "Not Modified. `If-None-Match` names the tag of this answer."},
            **refusals,
        },
    }


def _parameter(parameter: Parameter) -> Schema:
    schema = parameter.value.schema
    found: Schema = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description[0].upper() + parameter.description[1:] + ".",
        "schema": schema,
    }
    return found | ({"style": "form", "explode": False} if schema["type"] == "array" else {})


def _row(read: Read) -> Schema:
    return {
        "type": "object",
        "properties": {column.name: _column(column) for column in read.columns},
        "required": [c.name for c in read.columns if c.name not in read.sometimes],
        "additionalProperties": False,
    }


def _column(column: Any) -> Schema:
    schema = _of_type(column.type)
    if getattr(column, "nullable", False) and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    comment = getattr(column, "comment", None)
    return schema | ({"description": comment} if comment else {})


def _of_type(type_: Any) -> Schema:
    """What a column of that type looks like in JSON, as `rows` writes it."""
    if isinstance(type_, JSON):
        return {}
    if isinstance(type_, ARRAY):
        return {"type": "array", "items": _of_type(type_.item_type)}
    for known, schema in _TYPES.items():
        if isinstance(type_, known):
            return dict(schema)
    raise TypeError(f"expected a type of column that is known to look somehow, found {type_!r}")


_TYPES: Mapping[type, Schema] = {
    TIMESTAMP: {"type": "string", "format": "date-time"},
    Integer: {"type": "integer"},
    Numeric: {"type": "number"},
    Boolean: {"type": "boolean"},
    LargeBinary: {"type": "string", "pattern": "^[0-9a-f]*$"},
    Text: {"type": "string"},
}

PROBLEM: Schema = {
    "type": "object",
    "description": "An error, as RFC 9457 has it.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was expected, and what was found."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"parameter": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["parameter", "detail"],
            },
        },
        "numbers": {
            "type": "array",
            "description": "What a number of several accounts may mean.",
            "items": {
                "type": "object",
                "properties": {
                    "account_id": {"type": "string"},
                    "phone_number_id": {"type": "string"},
                },
                "required": ["account_id", "phone_number_id"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
}
