"""Phone numbers: lists in pages, one by its id, and several by theirs."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inventory.simulator.platform import Number, Platform
from inventory.simulator.rest.operation import Operation, Refusal, invalid, not_found

FILTERS = {
    "usageType": {
        "MainCompanyNumber", "AdditionalCompanyNumber", "CompanyNumber", "DirectNumber",
        "CompanyFaxNumber", "FmcBusinessMobileNumber", "InventoryFmcBusinessMobileNumber",
        "ForwardedNumber", "ForwardedCompanyNumber", "ContactCenterNumber", "ConferencingNumber",
        "MeetingsNumber", "NumberPool", "BusinessMobileNumber", "ELIN",
        "PartnerBusinessMobileNumber", "NumberPoolPartnerBusinessMobileNumber", "NumberStorage",
        "IntegrationNumber", "InventoryMobileNumber",
    },
    "paymentType": {
        "External", "TollFree", "Local", "BusinessMobileNumberProvider", "ExternalNumberProvider",
        "ExternalNumberProviderTollFree", "Mobile",
    },
    "status": {"Normal", "Pending", "PortedIn", "Temporary", "Unknown"},
}  # fmt: skip
"""What a list may be narrowed by, each as often as one likes."""
NEVER_LISTED = {"NumberPool", "NumberStorage"}
PER_PAGE = 1000
"""More is not refused, and not given either."""
LAST_PAGE = 1000
BULK = 30
"""Ids in one request; the platform's own limit is published nowhere."""
MULTIPART_JSON = "application/vnd.ringcentral.multipart+json"


class Numbers:
    """
    The account's phone numbers, as its user may see them.

    Args:
        platform: Whose.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def operations(self) -> list[Operation]:
        """What it offers."""
        numbers = "/restapi/v1.0/account/{accountId}/phone-number"
        return [
            Operation("GET", numbers, "heavy", self._list),
            Operation("GET", f"{numbers}/{{phoneNumberId}}", "light", self._get),
        ]

    async def _list(self, request: Request) -> Response:
        page = _whole(request, "page", 1, most=LAST_PAGE)
        per_page = min(_whole(request, "perPage", 100), PER_PAGE)
        found = self._found(request)
        pages = -(-len(found) // per_page)
        first = (page - 1) * per_page
        records = found[first : first + per_page]
        query = [(k, v) for k, v in request.query_params.multi_items() if k != "page"]

        def at(number: int) -> dict[str, str]:
            asked = urlencode([*query, ("page", number)])
            return {"uri": f"{self._platform.url}{request.url.path}?{asked}"}

        paging = {"perPage": per_page, "totalPages": pages, "totalElements": len(found)}
        if records:  # a page without any does not say which it is
            paging |= {"page": page, "pageStart": first, "pageEnd": first + len(records) - 1}
        navigation = {"firstPage": at(1), "lastPage": at(max(1, pages))}
        if page < pages:
            navigation["nextPage"] = at(page + 1)
        if page > 1:
            navigation["previousPage"] = at(page - 1)
        return JSONResponse(
            {
                "uri": at(page)["uri"],
                "records": records,
                "paging": paging,
                "navigation": navigation,
            }
        )

    def _found(self, request: Request) -> list[Number]:
        """What the query asks for, as far as the user may see it, or the faults have it."""
        wanted = {name: request.query_params.getlist(name) for name in FILTERS}
        for name, values in wanted.items():
            if not set(values) <= FILTERS[name]:
                raise invalid(name)
        found = [
            number
            for number in self._platform.numbers.values()
            if number["usageType"] not in NEVER_LISTED
            and self._visible(number)
            and all(not values or number[name] in values for name, values in wanted.items())
        ]
        return found[: len(found) // 2] if self._platform.faults.partial_lists else found

    def _visible(self, number: Number) -> bool:
        """Without the permission, other users' numbers are as if they were not there."""
        return not self._platform.faults.unprivileged or number["usageType"] == "DirectNumber"

    async def _get(self, request: Request) -> Response:
        ids = request.path_params["phoneNumberId"].split(",")
        if len(ids) == 1:
            return JSONResponse(self._number(ids[0]))
        if len(ids) > BULK:
            raise Refusal(400, "CMN-106", f"At most {BULK} ids are allowed", "phoneNumberId")
        parts = [self._part(id_) for id_ in ids]
        if MULTIPART_JSON in request.headers.get("accept", ""):
            return Response(json.dumps(parts), 207, media_type=MULTIPART_JSON)
        return _multipart(parts, request.url.path.rpartition("/")[0])

    def _part(self, id_: str) -> dict[str, Any]:
        try:
            return {"resourceId": id_, "status": 200, "body": self._number(id_)}
        except Refusal as refusal:
            return {"resourceId": id_, "status": refusal.status, "body": refusal.body()}

    def _number(self, id_: str) -> Number:
        number = self._platform.numbers.get(id_)
        if number is None or not self._visible(number):
            raise not_found("phoneNumberId")
        return number


def _multipart(parts: list[dict[str, Any]], path: str) -> Response:
    """What whoever does not ask for JSON gets: how each fared, then each, between boundaries."""
    boundary = f"Boundary_{uuid.uuid4().hex}"
    fared = {
        "response": [
            {"href": f"{path}/{part['resourceId']}", "status": part["status"]} for part in parts
        ]
    }
    pieces = [fared, *(part["body"] for part in parts)]
    text = "".join(
        f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{json.dumps(piece)}\r\n"
        for piece in pieces
    )
    return Response(
        f"{text}--{boundary}--", 207, media_type=f"multipart/mixed; boundary={boundary}"
    )


def _whole(request: Request, name: str, default: int, *, most: int | None = None) -> int:
    text = request.query_params.get(name, str(default))
    if re.fullmatch("[1-9][0-9]{0,8}", text) is None or int(text) > (most or int(text)):
        raise invalid(name)
    return int(text)
