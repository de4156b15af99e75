import json

import pytest

from caseweave.cli import desk_api
from caseweave.cli.desk_api import ApiRefusedError, DeskApi
from caseweave.cli.outside.http import Reply


@pytest.fixture
def answers(monkeypatch):
    """What the API will answer, in order, and what it was asked."""
    replies, asked = [], []

    def answer(method, url, value=None, headers=None):
        asked.append((method, url, value, headers))
        return replies.pop(0)

    monkeypatch.setattr(desk_api, "call_json", answer)
    return replies, asked


def reply(status, value):
    return Reply(status, {}, json.dumps(value).encode())


api = DeskApi("http://desk", "T")


def test_pages_are_followed_to_the_end(answers):
    replies, asked = answers
    replies += [
        reply(200, {"items": [{"ref": "A"}], "next": "p2"}),
        reply(200, {"items": [{"ref": "B"}], "next": None}),
    ]

    assert [case["ref"] for case in api.list_cases(team="security", state="")] == ["A", "B"]
    assert [url for _, url, _, _ in asked] == [
        "http://desk/v1/cases?team=security",
        "http://desk/v1/cases?team=security&cursor=p2",
    ]


def test_a_version_is_sent_as_if_match(answers):
    replies, asked = answers
    replies.append(reply(201, {"case": {}}))

    api.act("C-3QB4-A366", "messages", {"body": "hi"}, version=7)

    assert asked == [
        (
            "POST",
            "http://desk/v1/cases/C-3QB4-A366/messages",
            {"body": "hi"},
            {"Authorization": "Bearer T", "If-Match": '"7"'},
        )
    ]


def test_a_refusal_says_which_field_and_what_to_write(answers):
    problem = {
        "title": "Unprocessable",
        "detail": "There is no such state.",
        "errors": [{"field": "state", "detail": "use one of: new, open"}],
    }
    answers[0].append(reply(422, problem))

    with pytest.raises(ApiRefusedError) as refused:
        api.read_case("C-3QB4-A366")

    assert str(refused.value) == (
        "The API answered 422: There is no such state.\nstate: use one of: new, open"
    )


def test_an_answer_of_the_gateway_is_shown(answers):
    answers[0].append(reply(401, {"message": "Unauthorized"}))

    with pytest.raises(ApiRefusedError, match="401: Unauthorized"):
        api.read_case("C-3QB4-A366")


def test_an_answer_that_is_no_json_is_an_error_of_its_own(answers):
    answers[0].append(Reply(502, {}, b"<html>"))

    with pytest.raises(ApiRefusedError, match="502 and no JSON object"):
        api.read_case("C-3QB4-A366")
