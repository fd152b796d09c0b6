"""The proxy, as nginx itself understands it, and before a receiver."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from inventory import settings, web
from inventory.cli.listening import served
from inventory.database import Database
from inventory.ingest.framing import ITEM_LIMIT
from inventory.web.webhook import ANSWER_WITHIN
from tests.deploy.conftest import DEPLOY, needs, said_by
from tests.waiting import until
from tests.web.test_webhook import PATH, notification

CONFIGURATION = DEPLOY / "nginx" / "inventory.conf"
NAME = "inventory.example.com"

pytestmark = needs("nginx")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A directory with a certificate that we made out to ourselves."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return tmp_path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def configured(directory: Path, *, upstream: str = "127.0.0.1:8080") -> tuple[Path, int]:
    """A whole configuration around ours, that keeps to *directory* and a free port."""
    port, plain = free_port(), free_port()
    text = CONFIGURATION.read_text(encoding="utf-8")
    for old, new in (
        ("/etc/inventory/tls", str(directory)),
        ("/var/log/nginx", str(directory)),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("listen 80", f"listen 127.0.0.1:{plain}"),
        ("server 127.0.0.1:8080", f"server {upstream}"),
    ):
        assert old in text
        text = text.replace(old, new)
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{each}_temp_path {directory}/{each};\n" for each in places)
    user = "user root;\n" if os.geteuid() == 0 else ""
    whole = directory / "nginx.conf"
    whole.write_text(
        f"{user}daemon off;\npid {directory}/nginx.pid;\nerror_log {directory}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{text}}}\n",
        encoding="utf-8",
    )
    return whole, port


@contextmanager
def proxying(directory: Path, url: str) -> Iterator[httpx.Client]:
    """A client of an nginx before *url*."""
    whole, port = configured(directory, upstream=url.removeprefix("http://"))
    with subprocess.Popen(["nginx", "-c", str(whole)], stderr=subprocess.DEVNULL) as nginx:
        trusting = ssl.create_default_context(cafile=directory / "fullchain.pem")
        try:
            with httpx.Client(
                base_url=f"https://127.0.0.1:{port}", verify=trusting, headers={"host": NAME}
            ) as client:
                until(lambda: _answers(port))
                yield client
        finally:
            nginx.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_nginx_takes_the_configuration(certificate: Path) -> None:
    whole, _ = configured(certificate)
    assert "syntax is ok" in said_by("nginx", "-t", "-c", whole)


def test_its_limits_are_the_receivers() -> None:
    text = CONFIGURATION.read_text(encoding="utf-8")
    block = re.search(r"location = /webhooks/ringcentral \{(.*?)\n    \}", text, re.DOTALL)
    assert block is not None
    assert ITEM_LIMIT == 1 << 20
    assert "client_max_body_size 1m;" in block[1]
    (read,) = re.findall(r"proxy_read_timeout (\d+)ms;", block[1])
    assert ANSWER_WITHIN * 1000 < int(read) < 3000
    for name in ("client_body_timeout 2s", "proxy_send_timeout 500ms"):
        assert name in block[1]
    assert "limit_req zone=inventory_webhook" in block[1]


def test_a_receiver_behind_it_is_reached_by_tls_and_is_told_who_asks(
    certificate: Path, database: Database
) -> None:
    token = {"Verification-Token": "s3cret"}
    asked = settings.load(
        webhook_token="s3cret",
        webhook_url=f"https://{NAME}{PATH}",
        trusted_proxies="127.0.0.1",
    )
    app = web.application(database, asked)
    behind: dict[str, Any] = {"proxy_headers": True, "forwarded_allow_ips": ["127.0.0.1"]}
    with served(app, http=web.ImpatientProtocol, **behind) as url, proxying(certificate, url) as it:
        sni = {"sni_hostname": NAME}
        sent = it.post(PATH, content=notification(1), headers=token, extensions=sni)
        assert sent.status_code == 200
        head = sum(len(name) + len(value) + 4 for name, value in sent.headers.raw)
        assert head + len(sent.content) < 1024 - len("HTTP/1.1 200 OK\r\n\r\n")
        challenge = token | {"Validation-Token": "say it again"}
        echoed = it.post(PATH, headers=challenge, extensions=sni)
        assert echoed.headers["validation-token"] == "say it again"
        largest = b" " * (ITEM_LIMIT - 2) + b"{}"
        assert it.post(PATH, content=largest, headers=token, extensions=sni).status_code == 200
        larger = it.post(PATH, content=largest + b" ", headers=token, extensions=sni)
        assert larger.status_code == 413
        # No header makes a stranger one of this machine's users.
        mine = {"X-Forwarded-For": "127.0.0.1"}
        assert it.get("/api/v1/numbers", headers=mine, extensions=sni).status_code == 401
        with_secret = it.post(f"{PATH}?auth_token=s3cret", content=notification(2), extensions=sni)
        assert with_secret.status_code == 200
    log = (certificate / "inventory.log").read_text(encoding="utf-8")
    assert f'"POST {PATH}" 200' in log
    assert "s3cret" not in log
