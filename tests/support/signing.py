"""Keys and signed tokens of a test's own making, good ones and hostile ones. Signs by hand, so that anything can be signed."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey, OKPKey, RSAKey

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_HASHES: Final = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: Final = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


def private_key(algorithm: str = "RS256", which: int = 0) -> PrivateKey:
    """A key for this algorithm, the same for the same arguments; another `which` is another key."""
    return _made(algorithm, which)


@functools.cache
def _made(algorithm: str, _which: int) -> PrivateKey:
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    return rsa.generate_private_key(65537, 2048)


def public_jwk(key: PrivateKey, **more: object) -> dict[str, Any]:
    """Its public half as a JWK, with `kid`, `use` and the like in `more`."""
    kinds: list[Any] = [RSAKey, ECKey, OKPKey]
    kind = kinds[[rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey].index(_class(key))]
    return {**kind.import_key(key.public_key()).as_dict(private=False), **more}


def from_jwk(jwk: Mapping[str, Any]) -> PrivateKey:
    """The private key of a JWK."""
    kinds: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    key: PrivateKey = kinds[jwk["kty"]].import_key(dict(jwk)).raw_value
    return key


def _class(key: PrivateKey) -> type[PrivateKey]:
    return next(
        each
        for each in (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
        if isinstance(key, each)
    )


def part(value: object) -> str:
    """A part of a token: JSON, or bytes as they are."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signature(key: PrivateKey | bytes, algorithm: str, data: bytes) -> bytes:
    """The signature over these bytes; bytes for a key mean HMAC."""
    digest = _HASHES.get(algorithm[2:], hashes.SHA256())
    if isinstance(key, bytes):
        return hmac.new(key, data, hashlib.new(digest.name).name).digest()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.key_size + 7) // 8
        return b"".join(
            number.to_bytes(size, "big") for number in decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        )
    how = padding.PSS(padding.MGF1(digest), digest.digest_size) if algorithm.startswith("PS") else padding.PKCS1v15()
    return key.sign(data, how, digest)


def signed(claims: object, key: PrivateKey | bytes, algorithm: str = "RS256", **header: object) -> str:
    """A token in the compact form. `header` is laid over `alg` and `typ`."""
    head = {"alg": algorithm, "typ": "JWT", **header}
    body = f"{part({name: value for name, value in head.items() if value is not None})}.{part(claims)}"
    return f"{body}.{part(signature(key, algorithm, body.encode()))}"
