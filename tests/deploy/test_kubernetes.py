"""The manifests, held to Kubernetes' own schemas, and to each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from inventory.settings import Settings
from tests.deploy.conftest import DEPLOY, documents

VERSIONS = ("1.31", "1.34")
MANIFESTS = [
    manifest for path in sorted((DEPLOY / "kubernetes").iterdir()) for manifest in documents(path)
]


def named(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = (manifest for manifest in MANIFESTS if manifest["kind"] == kind)
    return found


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """The templates of pods, by the kind of what makes them."""
    for manifest in MANIFESTS:
        spec = manifest.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield manifest["kind"], spec["template"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", MANIFESTS, ids=named)
def test_kubernetes_takes_it(manifest: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(manifest, version, strict=True) == version


def test_a_misspelt_field_would_be_seen() -> None:
    wrong = {**of_kind("Service"), "sepc": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_pods_can_do_and_write_nothing_that_they_need_not() -> None:
    kinds = []
    for kind, template in pods():
        kinds.append(kind)
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"].keys() >= {"cpu", "memory"}
        assert container["image"] == "inventory:0.1.0"
    assert sorted(kinds) == ["CronJob", "Deployment", "Job"]


def test_no_variable_of_the_cluster_is_taken_for_a_setting() -> None:
    # A Service named inventory gives INVENTORY_SERVICE_HOST to every pod beside it.
    assert of_kind("Service")["metadata"]["name"] == "inventory"
    assert all(template["spec"]["enableServiceLinks"] is False for _, template in pods())


def test_balancers_ask_whether_it_is_ready_and_the_kubelet_whether_it_lives() -> None:
    (container,) = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    paths = {
        probe: container[f"{probe}Probe"]["httpGet"]["path"]
        for probe in ("startup", "liveness", "readiness")
    }
    # A database that is away is no reason to start again.
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def test_secrets_are_files_where_the_settings_say() -> None:
    settings = of_kind("ConfigMap")["data"]
    files = {name: value for name, value in settings.items() if name.endswith("_FILE")}
    secret = {
        name
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation) and name != "webhook_url"
    }
    assert {name.removeprefix("INVENTORY_").removesuffix("_FILE").lower() for name in files} == (
        secret
    )
    for _, template in pods():
        (container,) = template["spec"]["containers"]
        (mount,) = container["volumeMounts"]
        assert {str(PurePosixPath(path).parent) for path in files.values()} == {mount["mountPath"]}
        (volume,) = template["spec"]["volumes"]
        assert volume["name"] == mount["name"]


def test_all_pods_are_behind_the_policy_and_the_service_finds_those_that_serve() -> None:
    policy = of_kind("NetworkPolicy")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    serving = of_kind("Service")["spec"]["selector"]
    assert serving == of_kind("Deployment")["spec"]["selector"]["matchLabels"]
    for kind, template in pods():
        labels = template["metadata"]["labels"]
        assert policy["podSelector"]["matchLabels"].items() <= labels.items()
        assert (serving.items() <= labels.items()) == (kind == "Deployment")
