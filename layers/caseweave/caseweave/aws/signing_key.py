"""The key that signs what we vouch for: it never leaves KMS."""

from botocore.exceptions import BotoCoreError, ClientError

from caseweave.aws.clients import client
from caseweave.errors import UnavailableError

# Not the newer PSS: the same bytes have the same signature, so that the same pack is the same file.
ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256"
# KMS signs no longer message.
LONGEST = 4096


def sign_bytes(key_id: str, content: bytes) -> bytes:
    """The signature of at most LONGEST bytes. Raises UnavailableError."""
    try:
        answer = client("kms").sign(
            KeyId=key_id, Message=content, MessageType="RAW", SigningAlgorithm=ALGORITHM
        )
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the signing key cannot be used: {error}") from error
    signature: bytes = answer["Signature"]
    return signature


def read_public_key(key_id: str) -> bytes:
    """The public half, as DER (SubjectPublicKeyInfo). Raises UnavailableError."""
    try:
        answer = client("kms").get_public_key(KeyId=key_id)
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the signing key cannot be read: {error}") from error
    key: bytes = answer["PublicKey"]
    return key
