"""WeCom's callbacks and pages that others collected; CASEWEAVE_VECTORS names their folder."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from caseweave.channels import wecom, wecom_kf
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, WebhookRequest
from caseweave.channels.wechat_crypto import seal
from caseweave.domain.message import IgnoredEvent, InboundMessage
from caseweave.errors import InvalidSignatureError, UnparseableError
from tests.channels.wecom_samples import CORP, KEY, KFID, RANDOM, wecom_account

VECTORS = Path(os.environ.get("CASEWEAVE_VECTORS") or "/nowhere") / "wechat"

pytestmark = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="CASEWEAVE_VECTORS has no folder wechat"
)


def is_genuine(vector):
    """Does our door let the vector in, and open it to the text it should have?"""
    account = Credentials(
        "wecom",
        {
            "corp_id": vector["receive_id"],
            "token": vector["token"],
            "encoding_aes_key": vector["encoding_aes_key"],
        },
    )
    query = tuple((name, vector[name]) for name in ("msg_signature", "timestamp", "nonce"))
    if vector["kind"] == "echostr":
        asked = WebhookRequest(b"", {}, (*query, ("echostr", vector["encrypt"])))
        try:
            text = wecom.greet(asked, account)
        except InvalidSignatureError:
            return False
        return text == vector.get("expected_plaintext", text)
    body = f"<xml><Encrypt><![CDATA[{vector['encrypt']}]]></Encrypt></xml>".encode()
    try:
        wecom.verify(WebhookRequest(body, {}, query), account)
    except InvalidSignatureError:
        return False
    return True


def test_what_wecoms_own_libraries_accept_is_accepted_and_nothing_else():
    counts = Counter()
    for vector in json.loads((VECTORS / "signature_vectors.json").read_text())["vectors"]:
        if vector["kind"] not in ("echostr", "msg-signature") or not vector.get("receive_id"):
            print(f"excluded {vector['id']}: {vector['kind']}, of the Official Account alone")
            counts["excluded"] += 1
            continue
        assert is_genuine(vector) is vector["expected_valid"], vector["id"]
        counts["valid" if vector["expected_valid"] else "invalid"] += 1
    print(dict(counts))
    assert counts["valid"] >= 3
    assert counts["invalid"] >= 1


def test_every_callback_is_a_message_or_ignored_or_unparseable():
    counts = Counter()
    for path in sorted(VECTORS.glob("*wecom*/*.xml")):
        sealed = seal(path.read_bytes().strip(), CORP, KEY, RANDOM)
        body = f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()
        try:
            events = wecom.parse(WebhookRequest(body), wecom_account())
        except UnparseableError as error:
            print(f"unparseable {path.relative_to(VECTORS)}: {error}")
            counts["unparseable"] += 1
            continue
        assert all(isinstance(event, InboundMessage | IgnoredEvent) for event in events)
        counts.update(type(event).__name__ for event in events)
    print(dict(counts))
    assert counts["InboundMessage"] >= 4
    assert counts["IgnoredEvent"] >= 4


def test_every_message_of_every_page_is_a_message():
    counts = Counter()
    for path in sorted((VECTORS / "wecom-kf-sync_msg").glob("*.json")):
        found = wecom_kf.read_page(ProviderAnswer(200, path.read_bytes()))
        assert isinstance(found, wecom_kf.Page)
        assert found.has_more
        for said in found.messages:
            kept = wecom_kf.keep_pulled(said, KFID)
            counts[type(wecom_kf.parse_pulled(kept, wecom_account())).__name__] += 1
    print(dict(counts))
    assert counts == {"InboundMessage": 7}
