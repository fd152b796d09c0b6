"""Who vouches for a bundle: Ed25519 over its manifest."""

from __future__ import annotations

from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from inventory.errors import InventoryError

ALGORITHM = "Ed25519"

_DOMAIN = b"inventory evidence 1, manifest: "
"""Stands before what is signed, so that no signature over anything else is one over a manifest."""


class InvalidKey(InventoryError):
    """A key file holds no key of the kind that is needed."""


class Signature(NamedTuple):
    """One row of a bundle's table `signature`."""

    algorithm: str
    public_key: bytes
    signature: bytes


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """
    The private key in *pem*, as `openssl genpkey -algorithm ed25519` writes it.

    Raises:
        InvalidKey: It holds none, or one that needs a passphrase.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidKey("expected a private Ed25519 key in PEM, without a passphrase")
    return key


def public_key(pem: bytes) -> bytes:
    """
    The public key in *pem*, as `openssl pkey -pubout` writes it: 32 bytes.

    Raises:
        InvalidKey: It holds none.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidKey("expected a public Ed25519 key in PEM")
    return key.public_bytes_raw()


def sign(key: Ed25519PrivateKey, manifest_hash: bytes) -> Signature:
    """The signature of *key*'s owner over a manifest."""
    signature = key.sign(_DOMAIN + manifest_hash)
    return Signature(ALGORITHM, key.public_key().public_bytes_raw(), signature)


def holds(signature: Signature, manifest_hash: bytes) -> bool:
    """Whether *signature* was made over that manifest by whoever has the key it names."""
    try:
        Ed25519PublicKey.from_public_bytes(signature.public_key).verify(
            signature.signature, _DOMAIN + manifest_hash
        )
    except (InvalidSignature, ValueError):
        return False
    return signature.algorithm == ALGORITHM
