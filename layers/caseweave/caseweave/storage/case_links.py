"""Links between cases, in the records of both; read with the case, or alone."""

from dataclasses import dataclass

from caseweave.domain.case_links import MOST_ANCESTORS, CaseLink, LinkKind
from caseweave.storage import table
from caseweave.storage.items import IS_THERE, has
from caseweave.storage.rows import case_link_item, read_case_link
from caseweave.storage.table import CaseLinkRow, CaseRow
from caseweave.storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A case above another one, at the version at which it was looked at."""

    id: str
    version: int


def list_links(case_id: str, kind: LinkKind | None = None) -> list[CaseLink]:
    """The links in a case's record, of one kind or all; one consistent query."""
    partition = table.case_key(case_id)[0]
    prefix = f"LINK#{kind}#" if kind else "LINK#"
    rows = CaseLinkRow.query(partition, CaseLinkRow.sk.startswith(prefix), consistent_read=True)
    return [read_case_link(row.attribute_values) for row in rows]


def list_ancestors(case_id: str) -> list[Ancestor]:
    """The cases above a case, the nearest first; as far as such trees may reach."""
    found: list[Ancestor] = []
    while len(found) <= MOST_ANCESTORS:
        parents = list_links(case_id, LinkKind.PARENT)
        if not parents:
            return found
        case_id = parents[0].other_id
        row = CaseRow.get(*table.case_key(case_id), consistent_read=True)
        found.append(Ancestor(case_id, int(row.version)))
    return found


def put_links(write: Transaction, pair: tuple[CaseLink, CaseLink]) -> None:
    """Both sides, or what they said before is said anew."""
    for link in pair:
        write.put("link", case_link_item(link))


def delete_links(write: Transaction, one: str, kind: LinkKind, other: str) -> None:
    """Both sides, in a transaction that writes the heads of both."""
    for case_id, is_a, of_id in ((one, kind, other), (other, kind.inverse, one)):
        write.delete("link", table.case_link_key(case_id, is_a, of_id), IS_THERE)


def check_ancestors(write: Transaction, ancestors: list[Ancestor]) -> None:
    """Nothing above may have changed meanwhile: it could have closed a circle."""
    for one in ancestors:
        write.check("ancestor", table.case_key(one.id), has(CaseRow, version=one.version))
