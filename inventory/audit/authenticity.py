"""Whether a bundle is as it was made: its form, its manifest, its signature."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.audit import layout
from inventory.audit.bundle import Bundle
from inventory.audit.signature import Signature, holds
from inventory.verification import Difference


def of_form(bundle: Bundle) -> Iterator[Difference]:
    """What is in the file that no bundle has, and values that stand where they cannot."""
    expected, found = set(layout.SCHEMA), bundle.schema()
    for statement in sorted(expected ^ found):
        missing = statement in expected
        yield _differs("schema", statement if missing else None, None if missing else statement)
    faults = bundle.faults()
    for fault in faults:
        yield _differs("file", "a sound SQLite file", fault)
    if faults or expected != found:
        return
    for table in layout.TABLES:
        for row in bundle.rows(table):
            for column, value in zip(table.columns, row, strict=True):
                if not layout.well_formed(column, value):
                    yield _differs(f"{table.name}.{column.name}", column.kind, repr(value))


def of_manifest(bundle: Bundle) -> Iterator[Difference]:
    """Tables that are not what the manifest counted and hashed."""
    manifest = bundle.manifest()
    for table in layout.CONTENT:
        digest = bundle.digest(table)
        for name, computed in (("rows", str(digest.rows)), ("sha256", digest.sha256.hex())):
            said = manifest.get(f"{table.name}.{name}")
            if said != computed:
                yield _differs(f"manifest.{table.name}.{name}", computed, said)


def of_signature(
    bundle: Bundle, public_key: bytes | None, notes: list[str]
) -> Iterator[Difference]:
    """
    Whether the manifest was signed by whoever has *public_key*; null: whoever that may be.

    What cannot be concluded is said in *notes*.
    """
    signatures = [Signature(*row) for row in bundle.rows(layout.SIGNATURE)]
    manifest_hash = bundle.digest(layout.MANIFEST).sha256
    for signature in signatures:
        if not holds(signature, manifest_hash):
            yield _differs("signature", "a signature over this manifest", "one over something else")
    signers = {signature.public_key for signature in signatures}
    if public_key is not None:
        if signers != {public_key}:
            found = ", ".join(key.hex() for key in sorted(signers)) or None
            yield _differs("signature.public_key", public_key.hex(), found)
    elif signers:
        keys = ", ".join(key.hex() for key in sorted(signers))
        notes.append(f"signed with key {keys}; whose that is was not asked: --public-key")
    else:
        notes.append("not signed: whoever altered it could have made the manifest anew")


def _differs(what: str, expected: str | None, found: str | None) -> Difference:
    return Difference(None, None, None, what, expected, found)
