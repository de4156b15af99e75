"""What an index of OpenSearch does with documents, as far as the desk makes use of it.

Documents have versions given from outside; phrases are compared word by word, and a Chinese
character is a word, as OpenSearch's standard analyzer has it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

Document = dict[str, Any]
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")


@dataclass
class Index:
    """`versions` are kept of deleted documents, too."""

    documents: dict[str, Document] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def put(self, name: Mapping[str, Any], document: Document) -> int:
        if not self._is_newer(name):
            return 409
        is_new = name["_id"] not in self.documents
        self.documents[name["_id"]] = document
        return 201 if is_new else 200

    def delete(self, name: Mapping[str, Any]) -> int:
        if not self._is_newer(name):
            return 409
        return 200 if self.documents.pop(name["_id"], None) is not None else 404

    def search(self, asked: Mapping[str, Any]) -> list[Document]:
        """The hits of a query of phrases, filtered, sorted and collapsed."""
        query = asked["query"]["bool"]
        found = [one for one in self.documents.values() if _fits(one, query)]
        for order in reversed(asked["sort"]):
            ((name, how),) = order.items()
            found.sort(key=itemgetter(_field(name)), reverse=how["order"] == "desc")
        collapsed = _field(asked["collapse"]["field"])
        first = {one[collapsed]: one for one in reversed(found)}
        hits = [one for one in found if first[one[collapsed]] is one][: asked["size"]]
        return [{name: hit[name] for name in asked["_source"]} for hit in hits]

    def _is_newer(self, name: Mapping[str, Any]) -> bool:
        """`external_gte`: the same version again is taken, an older one is not."""
        if name["version_type"] != "external_gte" or name["version"] < self.versions.get(
            name["_id"], 0
        ):
            return False
        self.versions[name["_id"]] = name["version"]
        return True


def _fits(document: Document, query: Mapping[str, Any]) -> bool:
    phrases = [one["match_phrase_prefix"]["texts"]["query"] for one in query["must"]]
    limits = [(name, bounds) for one in query["filter"] for name, bounds in one["range"].items()]
    return all(
        any(_has_phrase(_words(text), _words(phrase)) for text in document["texts"])
        for phrase in phrases
    ) and all(document[_field(name)] < bounds["lt"] for name, bounds in limits)


def _has_phrase(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Do the words of *phrase* follow each other, the last one at least as a beginning?"""
    *whole, last = phrase
    return any(
        list(window[:-1]) == whole and window[-1].startswith(last)
        for window in _windows(words, len(phrase))
    )


def _windows(words: Sequence[str], length: int) -> Iterator[Sequence[str]]:
    return (words[start : start + length] for start in range(len(words) - length + 1))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _field(name: str) -> str:
    return name.removesuffix(".keyword")
