"""Settings: where they come from, and what is said of mistakes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from inventory.settings import InvalidSettings, load


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("INVENTORY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_flags_win_over_the_environment_over_the_file_over_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load().account_id is None
    (tmp_path / "inventory.toml").write_text('account_id = "1"\nfuture_tolerance = "1h"\n')
    assert load().account_id == "1"
    monkeypatch.setenv("INVENTORY_ACCOUNT_ID", "2")
    assert load().account_id == "2"
    assert load(account_id="3").account_id == "3"
    assert load(account_id=None).account_id == "2"
    assert load().future_tolerance == timedelta(hours=1)


@pytest.mark.parametrize(
    ("spelling", "length"), [("90s", 90), ("5m", 300), ("2h", 7200), ("1d", 86400), ("PT5M", 300)]
)
def test_durations_are_spelled_short(
    monkeypatch: pytest.MonkeyPatch, spelling: str, length: int
) -> None:
    monkeypatch.setenv("INVENTORY_FUTURE_TOLERANCE", spelling)
    assert load().future_tolerance.total_seconds() == length


def test_an_unknown_setting_is_an_error_that_suggests_the_right_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INVENTORY_DATABSE_URL", "postgresql://")
    with pytest.raises(InvalidSettings, match="did you mean INVENTORY_DATABASE_URL"):
        load()
    monkeypatch.delenv("INVENTORY_DATABSE_URL")
    (tmp_path / "inventory.toml").write_text('acount_id = "1"\n')
    with pytest.raises(InvalidSettings, match="did you mean INVENTORY_ACCOUNT_ID"):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [("ACCOUNT_ID", "me"), ("FUTURE_TOLERANCE", "soon"), ("FUTURE_TOLERANCE", "-PT5M")],
)
def test_a_bad_value_names_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"INVENTORY_{name}", value)
    with pytest.raises(InvalidSettings, match=f"INVENTORY_{name}: "):
        load()


def test_a_secret_can_come_from_a_file_and_shows_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://me:hunter2@there/db\n")
    monkeypatch.setenv("INVENTORY_DATABASE_URL_FILE", str(secret))
    settings = load()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://me:hunter2@there/db"
    assert "hunter2" not in f"{settings!r} {settings}"
    monkeypatch.setenv("INVENTORY_DATABASE_URL", "postgresql://other")
    with pytest.raises(InvalidSettings, match="set one of them"):
        load()


def test_a_secret_s_file_must_be_there_and_only_secrets_have_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INVENTORY_DATABASE_URL_FILE", "/nowhere")
    with pytest.raises(InvalidSettings, match="No such file"):
        load()
    monkeypatch.delenv("INVENTORY_DATABASE_URL_FILE")
    monkeypatch.setenv("INVENTORY_ACCOUNT_ID_FILE", "/nowhere")
    with pytest.raises(InvalidSettings, match="only secrets"):
        load()
