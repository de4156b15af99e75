"""Where each provider keeps the files of its messages: requests as their documents say."""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels import telegram_media, twilio_media, whatsapp_media
from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest, host_of
from caseweave.channels.media_registry import ERROR_TELLERS, MEDIA_LOCATORS, MEDIA_SOURCES
from caseweave.channels.registry import MESSENGERS, SMS
from caseweave.channels.request import ProviderAnswer
from caseweave.domain.media import Shortfall
from caseweave.domain.message import Attachment

# These tell us of no file that could be fetched.
WITHOUT_FILES = {"aliyun", "aws", "tencent"}
SECRETS = {
    "bot_token": "71:AAbb",
    "access_token": "EAAG",
    "channel_access_token": "line-token",
    "account_sid": "AC7f3d2b",
    "auth_token": "b2c0ffee",
}
BASIC = b64encode(b"AC7f3d2b:b2c0ffee").decode()
TELEGRAM = Credentials("telegram", SECRETS)
WHATSAPP = Credentials("whatsapp", SECRETS)


def locate(provider, reference):
    source = MEDIA_SOURCES[provider]
    attachment = Attachment("file", "image/jpeg", provider_ref=reference)
    return source.locate_media(attachment, source.MEDIA_URL, Credentials(provider, SECRETS))


def answer(status, said):
    return ProviderAnswer(status, json.dumps(said).encode())


@pytest.mark.parametrize(
    ("provider", "reference", "expected"),
    [
        (
            "telegram",
            "AgACAgQ/x",
            MediaRequest(
                "https://api.telegram.org/bot71:AAbb/getFile?file_id=AgACAgQ%2Fx", is_location=True
            ),
        ),
        (
            "whatsapp",
            "1037543291543636",
            MediaRequest(
                "https://graph.facebook.com/v23.0/1037543291543636",
                {"Authorization": "Bearer EAAG"},
                is_location=True,
            ),
        ),
        (
            "line",
            "325708",
            MediaRequest(
                "https://api-data.line.me/v2/bot/message/325708/content",
                {"Authorization": "Bearer line-token"},
            ),
        ),
        ("line", "https://example.com/o.jpg", MediaRequest("https://example.com/o.jpg")),
        (
            "twilio",
            "https://api.twilio.com/2010-04-01/Accounts/AC7/Messages/MM1/Media/ME1",
            MediaRequest(
                "https://api.twilio.com/2010-04-01/Accounts/AC7/Messages/MM1/Media/ME1",
                {"Authorization": f"Basic {BASIC}"},
            ),
        ),
        (
            "twilio",
            "https://mms.twiliocdn.com/AC7/ME1",
            MediaRequest("https://mms.twiliocdn.com/AC7/ME1"),
        ),
        (
            "meta",
            "https://scontent.xx.fbcdn.net/v/t1.15752-9/1.jpg?oh=1",
            MediaRequest("https://scontent.xx.fbcdn.net/v/t1.15752-9/1.jpg?oh=1"),
        ),
        (
            "wechat",
            "MEDIA_ID-1",
            MediaRequest(
                "https://api.weixin.qq.com/cgi-bin/media/get?access_token=EAAG&media_id=MEDIA_ID-1"
            ),
        ),
        (
            "wechat",
            "http://mmbiz.qpic.cn/mmbiz_jpg/x/0",
            MediaRequest("https://mmbiz.qpic.cn/mmbiz_jpg/x/0"),
        ),
        (
            "wecom",
            "MEDIA_ID-2",
            MediaRequest(
                "https://qyapi.weixin.qq.com/cgi-bin/media/get?access_token=EAAG&media_id=MEDIA_ID-2"
            ),
        ),
        (
            "qq",
            "https://multimedia.nt.qq.com.cn/download?appid=1406",
            MediaRequest("https://multimedia.nt.qq.com.cn/download?appid=1406"),
        ),
        (
            "vonage",
            "https://api-us.nexmo.com/v3/media/1b456509",
            MediaRequest("https://api-us.nexmo.com/v3/media/1b456509"),
        ),
    ],
)
def test_each_provider_is_asked_as_its_document_says(provider, reference, expected):
    assert locate(provider, reference) == expected


@pytest.mark.parametrize(
    "reference",
    ["https://api.twilio.com.evil.example/1", "https://evil.example/api.twilio.com", "http://[x"],
)
def test_twilios_password_goes_to_twilio_alone(reference):
    assert locate("twilio", reference) == MediaRequest(reference)


def test_every_provider_that_can_bring_files_is_there():
    assert MEDIA_SOURCES.keys() >= (SMS.keys() | MESSENGERS.keys()) - WITHOUT_FILES


def test_who_tells_a_location_can_read_it():
    asked_first = {
        name for name in MEDIA_SOURCES if getattr(locate(name, "1"), "is_location", False)
    }
    assert asked_first == MEDIA_LOCATORS.keys()


@pytest.mark.parametrize("name", sorted(MEDIA_SOURCES))
def test_a_reference_cannot_leave_its_place_in_the_address(name):
    """An id is one part of a path: it can neither climb nor add parameters."""
    plain, odd = locate(name, "1"), locate(name, "../../x?a=b#c d")
    if host_of(plain.url):
        before, _, after = odd.url.partition("..%2F..%2Fx%3Fa%3Db%23c%20d")
        assert plain.url == f"{before}1{after}"


def test_telegram_tells_the_path_of_a_file():
    told = answer(200, {"ok": True, "result": {"file_id": "A", "file_path": "photos/file 1.jpg"}})

    assert telegram_media.read_location(told, "https://api.telegram.org", TELEGRAM) == MediaRequest(
        "https://api.telegram.org/file/bot71:AAbb/photos/file%201.jpg"
    )


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (
            400,
            {"ok": False, "description": "Bad Request: file is too big"},
            MediaRefusal(Shortfall.TOO_LARGE, "400 Bad Request: file is too big", is_final=True),
        ),
        (
            400,
            {"ok": False, "description": "Bad Request: invalid file_id"},
            MediaRefusal(Shortfall.GONE, "400 Bad Request: invalid file_id", is_final=True),
        ),
        (
            429,
            {"ok": False, "description": "Too Many Requests: retry after 5"},
            MediaRefusal(Shortfall.UNREACHABLE, "429 Too Many Requests: retry after 5"),
        ),
        (401, {"ok": False}, MediaRefusal(Shortfall.REFUSED, "401")),
        (502, "bad gateway", MediaRefusal(Shortfall.UNREACHABLE, "502")),
        (200, {"ok": True, "result": {}}, MediaRefusal(Shortfall.UNREACHABLE, "200")),
    ],
)
def test_telegram_says_why_there_is_no_file(status, said, expected):
    told = answer(status, said)
    assert telegram_media.read_location(told, "https://api.telegram.org", TELEGRAM) == expected


def test_whatsapp_tells_an_address_that_wants_the_token_too():
    url = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=2"
    told = answer(200, {"url": url, "mime_type": "image/jpeg", "file_size": 12})

    assert whatsapp_media.read_location(told, "", WHATSAPP) == MediaRequest(
        url, {"Authorization": "Bearer EAAG"}
    )


@pytest.mark.parametrize(
    ("status", "reason", "is_final"),
    [
        (400, Shortfall.GONE, True),
        (404, Shortfall.GONE, True),
        (401, Shortfall.REFUSED, False),
        (429, Shortfall.UNREACHABLE, False),
        (500, Shortfall.UNREACHABLE, False),
    ],
)
def test_whatsapp_says_why_there_is_no_file(status, reason, is_final):
    told = answer(status, {"error": {"message": "Unsupported get request", "code": 100}})
    assert whatsapp_media.read_location(told, "", WHATSAPP) == MediaRefusal(
        reason, f"{status} Unsupported get request", is_final=is_final
    )


@pytest.mark.parametrize("name", ["wechat", "wecom"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"errcode":40007,"errmsg":"invalid media_id"}',
            MediaRefusal(Shortfall.GONE, "40007 invalid media_id", is_final=True),
        ),
        (
            b'{"errcode":42001,"errmsg":"access_token expired"}',
            MediaRefusal(Shortfall.REFUSED, "42001 access_token expired", is_token_stale=True),
        ),
        (b'{"errcode":45009}', MediaRefusal(Shortfall.REFUSED, "45009")),
        (b'{"errcode":0,"errmsg":"ok"}', None),
        (b'{"errcode":true}', None),
        (b'{"a":1}', None),
        (b"[]", None),
        (b"\xff\xd8\xff", None),
        (b"", None),
    ],
)
def test_an_error_in_place_of_a_file_is_no_file(name, body, expected):
    assert ERROR_TELLERS[name].read_refusal(body) == expected


@given(st.sampled_from(sorted(MEDIA_LOCATORS)), st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_makes_a_locator_fail(name, status, body):
    located = MEDIA_LOCATORS[name].read_location(
        ProviderAnswer(status, body), "https://x.example", Credentials(name, SECRETS)
    )
    assert isinstance(located, MediaRequest | MediaRefusal)


def test_secrets_are_not_shown_where_requests_are():
    assert "line-token" not in repr(locate("line", "325708"))
    assert twilio_media.MEDIA_HOSTS == (
        "api.twilio.com",
        "twiliocdn.com",
        "s3-external-1.amazonaws.com",
    )
