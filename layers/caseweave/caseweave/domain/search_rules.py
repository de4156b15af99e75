"""What ops say of search: the numbers of this desk, and how much of the texts is indexed."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

MOST_TERMS = 500


class Scope(StrEnum):
    """Of which messages the text can be searched."""

    OFF = "off"
    FIRST = "first"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class SearchRules:
    """`order_numbers` and `error_codes` are patterns of the desk's own, beside the usual ones.

    What looks like `local_phone` is a number of the country `country_code` (""; there is none).
    Of a message at most `most_terms` terms are indexed, and for as long as `kept`.
    """

    order_numbers: tuple[re.Pattern[str], ...] = ()
    error_codes: tuple[re.Pattern[str], ...] = ()
    country_code: str = ""
    local_phone: re.Pattern[str] | None = None
    scope: Scope = Scope.ALL
    most_terms: int = 100
    kept: timedelta = timedelta(days=400)

    def covers(self, seq: int) -> bool:
        """Is the text of a message indexed that event *seq* of its case recorded?"""
        return self.scope is Scope.ALL or (self.scope is Scope.FIRST and seq == FIRST_MESSAGE)


# Event 1 opens a case, event 2 records its first message.
FIRST_MESSAGE = 2
