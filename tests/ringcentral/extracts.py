"""
RingCentral's OpenAPI specification, as far as extracts of it lie in a folder of this machine.

They are not ours to publish: INVENTORY_TEST_OPENAPI names the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from openapi_schema_validator import (
    OAS30ReadValidator,
    OAS30WriteValidator,
    OAS31Validator,
    oas30_format_checker,
)

from tests.ringcentral.corrections import (
    CORRECTIONS,
    ERRORS,
    NUMBER,
    TOKEN,
    UNSPECIFIED,
    Correction,
    Operation,
    Schema,
)

FOLDER = os.environ.get("INVENTORY_TEST_OPENAPI")
needed = pytest.mark.skipif(
    FOLDER is None, reason="INVENTORY_TEST_OPENAPI names no folder of RingCentral's extracts"
)


class Disagreement(AssertionError):
    """An answer is not as its specification has it."""


class Extracts:
    """
    The specification, corrected.

    Args:
        folder: Where the extracts are.
    """

    def __init__(self, folder: Path) -> None:
        self._documents = {
            path.stem.removeprefix("openapi-"): yaml.safe_load(path.read_text(encoding="utf-8"))
            for path in folder.glob("openapi-*.yaml")
        }
        self.event = json.loads((folder / "event.schema.json").read_text(encoding="utf-8"))
        self._samples = folder / "samples"
        self._schemas: dict[tuple[Operation, int], Schema] = {}
        for correction in CORRECTIONS:
            self._correct(correction)

    def sample(self, name: str) -> str:
        """What was recorded or documented, as it is."""
        return (self._samples / name).read_text(encoding="utf-8")

    def statuses(self, operation: Operation) -> set[int]:
        """The statuses that the specification names for *operation*."""
        found = self._operation(operation)
        return set() if found is None else {int(status) for status in found[1]["responses"]}

    def check(self, operation: Operation, status: int, body: Any) -> None:
        """See that *body* is what *operation* answers with *status*, and holds nothing else."""
        if (operation, status) not in self._schemas:
            self._schemas[operation, status] = self._schema_of(operation, status)
        _judge(OAS30ReadValidator, self._schemas[operation, status], body)
        if (operation, status) == (NUMBER, 207):
            for part in body:
                self.check(NUMBER, part["status"], part["body"])

    def check_request(self, operation: Operation, body: Any) -> None:
        """See that *body* is what *operation* wants."""
        found = self._operation(operation)
        assert found is not None
        (content,) = found[1]["requestBody"]["content"].values()
        _judge(OAS30WriteValidator, self._resolved(found[0], content["schema"]), body)

    def check_parameter(self, extract: str, name: str, value: str) -> None:
        """See that *value* may stand for a parameter of a path."""
        parameter = self._documents[extract]["components"]["parameters"][name]
        _judge(OAS30WriteValidator, parameter["schema"], value)

    def check_event(self, body: Any) -> None:
        """See that *body* is a notification."""
        _judge(OAS31Validator, self.event, body)

    def _schema_of(self, operation: Operation, status: int) -> Schema:
        """What the body of an answer must be."""
        if (operation, status) in UNSPECIFIED:
            unspecified: Schema = _closed(UNSPECIFIED[operation, status])
            return unspecified
        found = self._operation(operation)
        if found is not None:
            extract, specified = found
            # A client that is not let in is told so like one whose request is invalid.
            named = "400" if (operation, status) == (TOKEN, 401) else str(status)
            response = self._resolved(extract, specified["responses"].get(named, {}))
            for content in response.get("content", {}).values():
                # Errors are open: recorded ones say everything at their top once more.
                schema: Schema = content["schema"] if status >= 400 else _closed(content["schema"])
                return schema
        error: Schema = self._resolved("errors", {"$ref": f"#/components/schemas/{ERRORS[status]}"})
        return error

    def _operation(self, operation: Operation) -> tuple[str, Any] | None:
        """The extract that has *operation*, and what it says."""
        method, path = operation
        for extract, document in self._documents.items():
            specified = document.get("paths", {}).get(path, {}).get(method.lower())
            if specified is not None:
                return extract, specified
        return None

    def _correct(self, correction: Correction) -> None:
        *place, last = correction.place
        node = self._documents[correction.extract]
        for name in place:
            node = node[name]
        assert node.get(last) != correction.right, f"{correction} is no longer needed"
        node[last] = correction.right

    def _resolved(self, extract: str, node: Any) -> Any:
        """*node* with everything in it that it refers to."""
        if isinstance(node, list):
            return [self._resolved(extract, each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            target = self._documents[extract]
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            return self._resolved(extract, target)
        # A discriminator refers to what is here by name, and no longer is.
        return {
            name: self._resolved(extract, each)
            for name, each in node.items()
            if name != "discriminator"
        }


def _closed(node: Any) -> Any:
    """A schema that allows no members but those it names: a name misspelt is one it has not."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {name: _closed(each) for name, each in node.items()}
    if node.get("type") == "object" and "properties" in node:
        closed.setdefault("additionalProperties", False)
    return closed


def _judge(validator: Any, schema: Schema, body: Any) -> None:
    checker = validator(schema, format_checker=oas30_format_checker)
    faults = list(_faults(checker.iter_errors(body)))
    if faults:
        raise Disagreement("; ".join(faults))


def _faults(errors: Iterator[Any]) -> Iterator[str]:
    for error in errors:
        yield f"{'/'.join(map(str, error.absolute_path)) or 'the body'}: {error.message}"


@oas30_format_checker.checks("uri")  # type: ignore[untyped-decorator]
def _is_uri(text: object) -> bool:
    parts = urlsplit(text) if isinstance(text, str) else None
    return parts is None or bool(parts.scheme and parts.netloc)
