"""How WeChat and WeCom sign and seal, checked with what OpenSSL and other programs made."""

import base64

import pytest
from Crypto.Cipher import AES
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels.wechat_crypto import Opened, is_signed, open_sealed, seal, sign
from caseweave.errors import UnparseableError

KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
OTHER = base64.b64encode(bytes(range(32, 64))).decode().rstrip("=")
RANDOM = b"0123456789abcdef"
# Made once by `openssl enc -aes-256-cbc -nopad -base64 -A -K 000102…1f -iv 000102…0f` of RANDOM,
# 00 00 00 06, "还没", "wxapp" and one byte 01.
SEALED = "4j/AuRx71kQlxVlzbpsMWKJS20rWQtlRD3E4sqiAR/o="


def test_a_signature_is_the_sha1_of_the_sorted_parts():
    # echo -n 1700000000TOKENnonce | sha1sum
    assert sign("TOKEN", "1700000000", "nonce") == sign("nonce", "TOKEN", "1700000000")
    assert sign("TOKEN", "1700000000", "nonce") == "f2094e084f7a8dbdcedc5c33e4041ac3e874c9d8"


def test_any_live_token_signs_and_no_other():
    signature = sign("old", "1", "2", "3")

    assert is_signed(signature, ["new", "old"], "1", "2", "3")
    assert not is_signed(signature, ["new"], "1", "2", "3")
    assert not is_signed(signature, [], "1", "2", "3")
    assert not is_signed(signature, ["new", "old"], "1", "2", "4")


@pytest.mark.parametrize("given", ["", " ", "签名", "\ud800", "0" * 40])
def test_what_is_no_signature_is_none(given):
    assert not is_signed(given, ["token"], "1", "2")


def test_what_openssl_sealed_is_opened():
    assert open_sealed(SEALED, [KEY]) == Opened("还没".encode(), "wxapp")
    assert open_sealed(f"\n{SEALED}\n", [KEY]) == Opened("还没".encode(), "wxapp")
    assert seal("还没".encode(), "wxapp", KEY, RANDOM) == SEALED


@given(st.binary(max_size=200), st.text(st.characters(codec="utf-8"), max_size=40))
def test_whatever_is_sealed_is_opened_by_its_key(message, receive_id):
    sealed = seal(message, receive_id, KEY, RANDOM)

    assert open_sealed(sealed, [OTHER, KEY]) == Opened(message, receive_id)


def encrypt(plain):
    """Blocks that are padded as *plain* says."""
    secret = bytes(range(32))
    return base64.b64encode(AES.new(secret, AES.MODE_CBC, secret[:16]).encrypt(plain)).decode()


@pytest.mark.parametrize(
    ("sealed", "keys"),
    [
        pytest.param("", [KEY], id="nothing"),
        pytest.param("****", [KEY], id="no base64"),
        pytest.param("签名", [KEY], id="not ASCII"),
        pytest.param("AAAA", [KEY], id="no whole block"),
        pytest.param(SEALED[4:], [KEY], id="cut"),
        pytest.param(SEALED, [OTHER], id="another key"),
        pytest.param(SEALED, [], id="no key"),
        pytest.param(SEALED, [KEY[:-1]], id="a short key"),
        pytest.param(SEALED, ["*" * 43], id="no key at all"),
        pytest.param(encrypt(bytes(32)), [KEY], id="padding of 0"),
        pytest.param(encrypt(bytes([33]) * 48), [KEY], id="padding of 33"),
        pytest.param(encrypt(bytes(30) + bytes([3, 2])), [KEY], id="padding that differs"),
        pytest.param(encrypt(bytes([32]) * 32), [KEY], id="padding alone"),
        pytest.param(
            encrypt(bytes(16) + b"\xff" * 15 + b"\1"), [KEY], id="a length beyond its end"
        ),
    ],
)
def test_what_no_key_opens_is_said_to_be_so(sealed, keys):
    with pytest.raises(UnparseableError):
        open_sealed(sealed, keys)
