"""The account, and what its user may do."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inventory.simulator.platform import Platform
from inventory.simulator.rest.operation import Operation

NUMBERS_PERMISSION = "ReadCompanyPhoneNumbers"


class Account:
    """
    One account and one user.

    Args:
        platform: Whose.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def operations(self) -> list[Operation]:
        """What it offers."""
        account = "/restapi/v1.0/account/{accountId}"
        check = f"{account}/extension/{{extensionId}}/authz-profile/check"
        return [
            Operation("GET", account, "light", self._account),
            Operation("GET", check, "light", self._check),
        ]

    async def _account(self, _: Request) -> Response:
        id_ = self._platform.account_id
        return JSONResponse(
            {
                "uri": f"{self._platform.url}/restapi/v1.0/account/{id_}",
                "id": int(id_),
                "status": "Confirmed",
                "mainNumber": "+12025550100",
            }
        )

    async def _check(self, request: Request) -> Response:
        permission = request.query_params.get("permissionId", "")
        has_it = not (self._platform.faults.unprivileged and permission == NUMBERS_PERMISSION)
        answer: dict[str, Any] = {
            "uri": f"{self._platform.url}{request.url.path}",
            "successful": has_it,
        }
        if has_it:
            answer["details"] = {"permission": {"id": permission}, "scopes": ["Account"]}
        return JSONResponse(answer)
