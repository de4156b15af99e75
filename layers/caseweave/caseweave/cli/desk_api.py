"""The agents' API as a client sees it, signed in on the local stack."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from caseweave.cli.local_stack import read_outputs
from caseweave.cli.outside.http import Reply, call_json
from caseweave.cli.sign_in import id_token
from caseweave.errors import CaseweaveError


class ApiRefusedError(CaseweaveError):
    """The API did not do what was asked; the message is the problem it reported."""


@dataclass(frozen=True, slots=True)
class DeskApi:
    url: str
    token: str

    def read_case(self, name: str) -> dict[str, Any]:
        """The whole case, by reference or id: `case`, `messages`, `events`."""
        return self._get(f"/v1/cases/{quote(name, safe='')}")

    def read_customer(self, customer_id: str) -> dict[str, Any]:
        """The customer at a glance, with what the business's platform says of them."""
        return self._get(f"/v1/customers/{quote(customer_id, safe='')}")

    def export_evidence(self, name: str) -> dict[str, Any]:
        """Where the evidence pack of a case can be fetched for a while, and its SHA-256."""
        return self._get(f"/v1/cases/{quote(name, safe='')}/evidence")

    def search(self, **query: str) -> dict[str, Any]:
        """A page of what is found for `q`; empty parts of the query are left out."""
        return self._get(f"/v1/search?{urlencode({k: v for k, v in query.items() if v})}")

    def list_timeline(self, customer_id: str, **query: str) -> Iterator[dict[str, Any]]:
        """A customer's history over all channels and cases, page after page."""
        return self._list(f"/v1/customers/{quote(customer_id, safe='')}/timeline", query)

    def list_cases(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Every case that fits, page after page; empty filters are left out."""
        return self._list("/v1/cases", filters)

    def _list(self, path: str, filters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        query = {name: value for name, value in filters.items() if value}
        while True:
            page = self._get(f"{path}?{urlencode(query)}")
            yield from page["items"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def act(
        self, ref: str, action: str, said: Mapping[str, Any], version: int | None = None
    ) -> dict[str, Any]:
        """Do something to a case (`messages`, `assign`, `state`); the case as it is then."""
        return _read(self.try_act(ref, action, said, version))

    def try_act(
        self, ref: str, action: str, said: Mapping[str, Any], version: int | None = None
    ) -> Reply:
        """The same, with the bare answer; a *version* is sent as If-Match."""
        match = {} if version is None else {"If-Match": f'"{version}"'}
        url = f"{self.url}/v1/cases/{quote(ref, safe='')}/{action}"
        return call_json("POST", url, dict(said), self._headers() | match)

    def declare_incident(self, said: Mapping[str, Any]) -> dict[str, Any]:
        return self._post("/v1/incidents", said)

    def resolve_incident(self, incident_id: str, notice: Mapping[str, str]) -> dict[str, Any]:
        said = {"state": "resolved", "notice": dict(notice)}
        return self._post(f"/v1/incidents/{quote(incident_id, safe='')}/state", said)

    def list_ledger(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Every entry that fits, page after page, in no order; empty filters are left out."""
        return self._list("/v1/ledger", filters)

    def replay(self, entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Try these entries again; what became of each."""
        return self._post("/v1/replay", {"entries": [dict(one) for one in entries]})

    def export_customer(self, customer_id: str) -> dict[str, Any]:
        return self._get(f"/v1/customers/{quote(customer_id, safe='')}/export")

    def preview_erasure(self, customer_id: str) -> dict[str, Any]:
        return self._get(f"/v1/customers/{quote(customer_id, safe='')}/erasure")

    def ask_erasure(self, customer_id: str, said: Mapping[str, Any]) -> dict[str, Any]:
        return self._post(f"/v1/customers/{quote(customer_id, safe='')}/erasure", said)

    def show_retention(self) -> dict[str, Any]:
        return self._get("/v1/retention")

    def _post(self, path: str, said: Mapping[str, Any]) -> dict[str, Any]:
        return _read(call_json("POST", self.url + path, dict(said), self._headers()))

    def _get(self, path: str) -> dict[str, Any]:
        return _read(call_json("GET", self.url + path, headers=self._headers()))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def sign_in(state_dir: Path, role: str, name: str = "") -> DeskApi:
    """The API for somebody of *role*; the role's own user unless *name* says whom."""
    return DeskApi(read_outputs(state_dir)["ApiUrl"], id_token(state_dir, role, name or role))


def _read(reply: Reply) -> dict[str, Any]:
    """Raises ApiRefusedError with what the problem document says, field by field."""
    try:
        said = reply.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ApiRefusedError(f"The API answered {reply.status} and no JSON object.")
    if reply.status < HTTPStatus.BAD_REQUEST:
        return said
    text = said.get("detail") or said.get("title") or said.get("message") or "nothing about why"
    advice = [f"{error.get('field')}: {error.get('detail')}" for error in said.get("errors") or []]
    raise ApiRefusedError("\n".join([f"The API answered {reply.status}: {text}", *advice]))
