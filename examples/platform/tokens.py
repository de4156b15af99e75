"""The tokens that let a signed-in customer into the support desk's web form."""

from datetime import datetime, timedelta
from typing import Any

from examples.platform.customers import User

AUDIENCE = "caseweave"
LIFETIME = timedelta(minutes=15)

# https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
STANDARD_CLAIMS = (
    "name",
    "locale",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
)
OWN_CLAIMS = ("tier", "role")


def describe_customer(user: User, *, issuer: str, now: datetime) -> dict[str, Any]:
    """List the token's claims; what the platform does not know is left out, not null."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": user.id,
        "aud": AUDIENCE,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    about = {name: getattr(user, name) for name in (*STANDARD_CLAIMS, *OWN_CLAIMS)}
    return claims | {name: value for name, value in about.items() if value is not None}


def describe_issuer(issuer: str) -> dict[str, Any]:
    """Tell where the keys are; of OpenID Connect only the discovery is offered here."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", *STANDARD_CLAIMS, *OWN_CLAIMS],
    }
