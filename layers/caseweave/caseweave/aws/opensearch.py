"""The words of messages in an OpenSearch domain, for desks that outgrow the index in the table.

https://docs.opensearch.org/latest/api-reference/document-apis/bulk/
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/request-signing.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from caseweave.domain.message import Message
from caseweave.domain.terms import hide_secrets, searched_texts
from caseweave.domain.times import to_rfc3339
from caseweave.errors import UnavailableError

INDEX = "messages"
_SERVICE = "es"
# A message is written once and erased at most once: that order holds, however often and in
# whatever order the two are told.
_WRITTEN, _ERASED = 1, 2
_SETTLED = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


class OpenSearch:
    """A domain at an address, asked with this function's own credentials."""

    def __init__(self, url: str) -> None:
        self._url = url

    def put(self, messages: Sequence[Message]) -> frozenset[str]:
        """Take these in, each once; the ids of those it did not take. Raises UnavailableError."""
        return self._bulk([message.id for message in messages], _puts(messages))

    def delete(self, message_ids: Sequence[str]) -> frozenset[str]:
        """Forget these; the ids of those it still knows. Raises UnavailableError."""
        return self._bulk(message_ids, ({"delete": _name(one, _ERASED)} for one in message_ids))

    def find(self, parts: Sequence[str], before: str, limit: int) -> list[tuple[str, str]]:
        """(case id, place) of a message of each case that has all *parts*, the newest case first,
        of those before case *before* ("": of all). Raises UnavailableError.
        """
        asked = json.dumps(_describe_query(parts, before, limit)).encode()
        path = f"/{INDEX}/_search?ignore_unavailable=true"
        hits = self._post(path, asked, "application/json")["hits"]["hits"]
        return [(hit["_source"]["case_id"], hit["_source"]["place"]) for hit in hits]

    def _bulk(self, names: Sequence[str], lines: Iterator[Mapping[str, Any]]) -> frozenset[str]:
        if not names:
            return frozenset()
        body = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
        answer = self._post("/_bulk", body.encode("utf-8", "replace"), "application/x-ndjson")
        results = [result for item in answer["items"] for result in item.values()]
        settled = {one["_id"] for one in results if one["status"] in _SETTLED}
        return frozenset(names) - settled

    def _post(self, path: str, body: bytes, media_type: str) -> dict[str, Any]:
        """Raises UnavailableError."""
        request = AWSRequest("POST", self._url + path, {"Content-Type": media_type}, body)
        session = boto3.Session()
        SigV4Auth(session.get_credentials(), _SERVICE, session.region_name).add_auth(request)
        try:
            answer = _http().send(request.prepare())
            if answer.status_code != HTTPStatus.OK:
                raise UnavailableError(f"OpenSearch answered {answer.status_code}")
            found: dict[str, Any] = json.loads(answer.content)
        except (BotoCoreError, ValueError) as error:
            raise UnavailableError(f"OpenSearch cannot be asked: {error}") from error
        return found


def _puts(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    for message in messages:
        yield {"index": _name(message.id, _WRITTEN)}
        yield _describe(message)


def _name(message_id: str, version: int) -> dict[str, Any]:
    return {
        "_index": INDEX,
        "_id": message_id,
        "version": version,
        "version_type": "external_gte",
    }


def _describe(message: Message) -> dict[str, Any]:
    at = to_rfc3339(message.occurred_at)
    return {
        "case_id": message.case_id,
        "place": f"CASE#{message.case_id}#MSG#{at}#{message.id}",
        "customer_id": message.customer_id,
        "channel": str(message.channel),
        "direction": str(message.direction),
        "occurred_at": at,
        "texts": [hide_secrets(text) for text in searched_texts(message)],
    }


def _describe_query(parts: Sequence[str], before: str, limit: int) -> dict[str, Any]:
    """Each part is a phrase, of which the last word may be the beginning of one."""
    phrases = [{"match_phrase_prefix": {"texts": {"query": part}}} for part in parts]
    earlier = [{"range": {"case_id.keyword": {"lt": before}}}] if before else []
    return {
        "query": {"bool": {"must": phrases, "filter": earlier}},
        "collapse": {"field": "case_id.keyword"},
        "sort": [
            {"case_id.keyword": {"order": "desc", "unmapped_type": "keyword"}},
            {"occurred_at": {"order": "desc", "unmapped_type": "date"}},
        ],
        "size": limit,
        "_source": ["case_id", "place"],
    }


@cache
def _http() -> Any:
    return URLLib3Session(timeout=(2, 10))
