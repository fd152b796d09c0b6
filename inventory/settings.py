"""
Settings: flags > environment > `inventory.toml` > defaults.

The only module that reads the environment. Every secret can also be given as the name of a file
that holds it (`INVENTORY_DATABASE_URL_FILE`), and no secret shows when settings are printed.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from cronsim import CronSim, CronSimError
from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from inventory.errors import InventoryError
from inventory.redaction import conceal

PREFIX = "INVENTORY_"
FILE = "inventory.toml"
_DURATION = re.compile(r"\s*([0-9]{1,18})\s*([smhdw])\s*")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class InvalidSettings(InventoryError):
    """A setting is unknown, or its value cannot be used."""


def duration(value: object) -> object:
    """
    A length of time from its short spelling; anything else is handed on as it is.

    Raises:
        ValueError: It is longer than there is time.

    >>> duration("5m")
    datetime.timedelta(seconds=300)
    """
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        try:
            return timedelta(**{_UNITS[match[2]]: int(match[1])})
        except OverflowError:
            raise ValueError(f"expected less than {timedelta.max.days} days, got {value}") from None
    return value


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine, where nobody else listens in."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _names(value: object) -> object:
    """The words of a list that is written with spaces or commas between them."""
    return tuple(filter(None, re.split(r"[\s,]+", value))) if isinstance(value, str) else value


def host_name(value: str) -> str:
    """
    A host's name or address as it is compared: in small letters, without brackets or a last dot.

    >>> host_name("[::1]"), host_name("Example.com.")
    ('::1', 'example.com')
    """
    name = value.strip().lower().removesuffix(".")
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    if re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", name) is None:
        raise ValueError(f"expected a host's name or address without a port, found {value!r}")
    return name


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value, strict=False))


def _default_home() -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/inventory")
    return user_data_path("inventory", appauthor=False)


class Settings(BaseSettings):
    """What an installation can set, each with its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        toml_file=FILE,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(
        None, description="`postgresql://…`; unset: a private real PostgreSQL under `HOME`"
    )
    home: Path = Field(
        default_factory=_default_home, description="where the embedded PostgreSQL keeps its data"
    )
    pg_bindir: Path | None = Field(
        None, description="PostgreSQL programs to run it with; unset: those of the wheel"
    )
    account_id: str | None = Field(
        None, pattern=r"^[0-9]{1,32}$", description="account of notifications that name none"
    )
    future_tolerance: Annotated[timedelta, BeforeValidator(duration)] = Field(
        timedelta(minutes=5), ge=timedelta(0), description="how far ahead a timestamp may lie"
    )

    webhook_token: SecretStr | None = Field(
        None,
        description="RingCentral's verification token, several while one replaces another (spaces "
        "or commas between them, the newest first); unset: the receiver listens on loopback only",
    )

    webhook_url: SecretStr | None = Field(
        None,
        description="where RingCentral reaches the receiver, `https://…/webhooks/ringcentral`; "
        "needed to subscribe",
    )
    allowed_hosts: Annotated[
        tuple[Annotated[str, AfterValidator(host_name)], ...], NoDecode, BeforeValidator(_names)
    ] = Field(
        (),
        description="names that people reach this by, beyond loopback's, the address that is "
        "listened on and `WEBHOOK_URL`'s (spaces or commas between them)",
    )
    trusted_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_names)
    ] = Field(
        (),
        description="addresses or networks of reverse proxies, whose word on who asks "
        "(`X-Forwarded-For`, `-Proto`) is believed",
    )
    ringcentral_url: str = Field(
        "https://platform.ringcentral.com", description="RingCentral's REST API"
    )
    ringcentral_client_id: str | None = Field(None, description="the app's client id")
    ringcentral_client_secret: SecretStr | None = Field(None, description="the app's client secret")
    ringcentral_jwt: SecretStr | None = Field(
        None, description="JWT credential of the user that the app acts for"
    )
    ringcentral_ca: Path | None = Field(
        None, description="file of certificate authorities to trust instead of the system's"
    )

    reconcile_schedule: str = Field(
        "0 * * * *",
        description="when `serve` reconciles, a cron expression in UTC; empty: never. Needs access "
        "to RingCentral",
    )
    reconcile_mode: Literal["apply", "plan"] = Field(
        "apply",
        description="what it does then: `apply`, or `plan`: record the run and what it found, and "
        "append nothing",
    )

    @field_validator("reconcile_schedule")
    @classmethod
    def _is_cron(cls, schedule: str) -> str:
        try:
            if schedule:
                CronSim(schedule, datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(f"expected a cron expression, got {schedule!r}: {error}") from None
        return schedule

    @property
    def webhook_tokens(self) -> tuple[str, ...]:
        """The verification tokens that are valid; empty: none is asked for."""
        given = "" if self.webhook_token is None else self.webhook_token.get_secret_value()
        return tuple(filter(None, re.split(r"[\s,]+", given)))

    @property
    def webhook_host(self) -> str | None:
        """The host that RingCentral delivers to; null: not said, or not to be understood."""
        url = "" if self.webhook_url is None else self.webhook_url.get_secret_value()
        try:
            return host_name(urlsplit(url).hostname or "")
        except ValueError:
            return None

    @property
    def reached_from_outside(self) -> bool:
        """
        Whether somebody out there is meant to reach the receiver, wherever it listens.

        RingCentral delivers from outside, by way of a proxy that may stand on this very machine. A
        verification token without an address says so, too.
        """
        if self.webhook_url is not None:
            return self.webhook_host is None or not is_loopback(self.webhook_host)
        return bool(self.webhook_tokens)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env: one file is enough
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - we name each file
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(**flags: object) -> Settings:
    """
    The settings in force; a flag that is None was not given.

    Raises:
        InvalidSettings: A name is unknown, a value unusable, or a file unreadable.
    """
    _refuse_unknown(os.environ)
    given: dict[str, Any] = {name: value for name, value in flags.items() if value is not None}
    for name, secret in _secrets_in_files(os.environ).items():
        given.setdefault(name, secret)
    # Elsewhere an empty variable is as good as none; here it says never.
    if os.environ.get(f"{PREFIX}RECONCILE_SCHEDULE") == "":
        given.setdefault("reconcile_schedule", "")
    try:
        return Settings(**given)
    except ValidationError as error:
        raise InvalidSettings(
            "; ".join(
                f"{PREFIX}{str(fault['loc'][0]).upper()}: {_why(fault)}"
                for fault in error.errors(include_url=False, include_input=False)
            )
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        # Not what UTF-8 lacks: that would be a part of the file.
        why = "other bytes than UTF-8's" if isinstance(error, UnicodeDecodeError) else error
        raise InvalidSettings(f"{FILE}: expected TOML, found: {why}") from None


def conceal_secrets(settings: Settings) -> None:
    """Let no log and no error show what proves that a delivery is RingCentral's."""
    for token in settings.webhook_tokens:
        conceal(token)
    if settings.webhook_url is not None:
        conceal(settings.webhook_url.get_secret_value().partition("?")[2])


def _why(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown setting" + _suggestion(str(fault["loc"][0]).upper())
    return str(fault["msg"]).removeprefix("Value error, ")


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    for variable in environment:
        name = variable.removeprefix(PREFIX)
        if name == variable or name.startswith("TEST_"):
            continue
        if name.removesuffix("_FILE").lower() not in Settings.model_fields:
            raise InvalidSettings(f"{variable}: unknown setting{_suggestion(name)}")


def _suggestion(name: str) -> str:
    close = get_close_matches(name, [field.upper() for field in Settings.model_fields], n=1)
    return f"; did you mean {PREFIX}{close[0]}?" if close else ""


def _secrets_in_files(environment: Mapping[str, str]) -> dict[str, SecretStr]:
    found = {}
    for name, field in Settings.model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        path = environment.get(f"{variable}_FILE")
        if path is None:
            continue
        if "SecretStr" not in str(field.annotation):
            raise InvalidSettings(f"{variable}_FILE: only secrets can come from a file")
        if variable in environment:
            raise InvalidSettings(f"{variable} and {variable}_FILE: set one of them")
        try:
            found[name] = SecretStr(Path(path).read_text(encoding="utf-8").strip())
        except OSError as error:
            raise InvalidSettings(f"{variable}_FILE: {path}: {error.strerror}") from None
        except ValueError:  # of its bytes none may be shown
            raise InvalidSettings(f"{variable}_FILE: {path}: expected text in UTF-8") from None
    return found
