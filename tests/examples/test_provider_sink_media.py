"""Files in the sink, handed out as the adapters of the desk ask for them."""

import base64
import json

import pytest

from caseweave.channels.credentials import Credentials
from caseweave.channels.media import MediaRefusal, MediaRequest
from caseweave.channels.media_registry import MEDIA_LOCATORS, MEDIA_SOURCES
from caseweave.channels.request import ProviderAnswer
from caseweave.domain.message import Attachment
from tests.examples.test_provider_sink import _run

SECRETS = {
    "telegram": {"bot_id": 71, "bot_username": "bot", "bot_token": "71:AAbb"},
    "whatsapp": {"access_token": "EAAG"},
}
PROVIDERS = sorted(SECRETS)


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    path = tmp_path_factory.mktemp("sink") / "secrets.json"
    path.write_text(json.dumps(SECRETS))
    yield from _run("examples/provider_sink/server.py", "--secrets", str(path))


def add(sink, file_id, content=b"\xff\xd8\xff", **more):
    said = {"id": file_id, "content": base64.b64encode(content).decode(), **more}
    return sink.ask("POST", "/_sink/files", json.dumps(said)).status


def get(sink, request):
    base = f"http://127.0.0.1:{sink.port}"
    assert request.url.startswith(base)
    return sink.ask("GET", request.url.removeprefix(base), headers=dict(request.headers))


def locate(sink, provider, file_id, **secrets):
    """What the adapter makes of the sink's word on where the file is."""
    credentials = Credentials(provider, SECRETS[provider] | secrets)
    base_url = f"http://127.0.0.1:{sink.port}/{provider}"
    attachment = Attachment("file", "image/jpeg", provider_ref=file_id)
    asked = MEDIA_SOURCES[provider].locate_media(attachment, base_url, credentials)
    told = get(sink, asked)
    return MEDIA_LOCATORS[provider].read_location(
        ProviderAnswer(told.status, told.body), base_url, credentials
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_file_is_handed_out_in_two_steps(sink, provider):
    assert add(sink, "100", media_type="image/jpeg") == 201

    request = locate(sink, provider, "100")

    assert isinstance(request, MediaRequest)
    answer = get(sink, request)
    assert (answer.status, answer.body) == (200, b"\xff\xd8\xff")
    assert answer.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_file_that_is_not_there_is_refused_for_good(sink, provider):
    refused = locate(sink, provider, "nobody-knows")
    assert isinstance(refused, MediaRefusal)
    assert refused.is_final


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nobody_gets_a_file_without_the_right_secret(sink, provider):
    add(sink, "101")
    refused = locate(sink, provider, "101", bot_token="wrong", access_token="wrong")
    assert isinstance(refused, MediaRefusal)
    assert not refused.is_final
    assert get(sink, MediaRequest(f"http://127.0.0.1:{sink.port}/whatsapp/files/101")).status == 404


@pytest.mark.parametrize("provider", PROVIDERS)
def test_trouble_passes_after_as_many_requests_as_were_asked_for(sink, provider):
    add(sink, f"late-{provider}", troubles=2)

    answers = [locate(sink, provider, f"late-{provider}") for _ in range(3)]

    assert [isinstance(one, MediaRequest) for one in answers] == [False, False, True]
    assert not any(one.is_final for one in answers[:2])


@pytest.mark.parametrize(
    "said", [{}, {"id": "1", "content": "no base64!"}, {"id": "1", "content": "", "troubles": "x"}]
)
def test_a_file_that_makes_no_sense_is_refused(sink, said):
    assert sink.ask("POST", "/_sink/files", json.dumps(said)).status == 400
