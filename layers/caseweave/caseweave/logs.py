"""Logs that hold no secrets: whatever is logged, by whom ever, is masked where it leaves.

There are three ways out: the function's own logger, every other logger (Lambda's root handler
prints these), and Lambda itself, which prints what a handler raises.
"""

import json
import logging
import re
import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

if TYPE_CHECKING:
    from caseweave.domain.masking import Shape

# Without one of these there is no secret in a line, and masking need not be loaded at all.
_DIGIT = re.compile(r"[\d〇零一二三四五六七八九幺]")
# What the desk's own shapes could be: reading the file that has them takes longer than an intake.
_WORTH_A_LOOK = re.compile(r"(?=[A-Za-z-]{0,64}\d)[0-9A-Za-z-]{6}")
# Numbers, names and times that Lambda and Powertools put beside what is logged.
_OWN_KEYS = frozenset(
    {"timestamp", "level", "location", "service", "function_name", "function_arn", "requestId",
     "function_request_id", "function_memory_size", "xray_trace_id", "cold_start", "logger"}
)  # fmt: skip


class HiddenError(Exception):
    """What a handler raised, with its secrets hidden; the traceback of it is in the log."""


class DeskLogger(Logger):
    """A Powertools logger whose handlers raise nothing that Lambda must not print."""

    # Its overloads only tell a handler from none.
    def inject_lambda_context(  # type: ignore[override]
        self, lambda_handler: Any = None, **options: Any
    ) -> Any:
        """Powertools' decorator, with what comes out of it made safe to print."""
        if lambda_handler is None:
            return super().inject_lambda_context(None, **options)
        handle: Callable[[Any, Any], Any] = super().inject_lambda_context(lambda_handler, **options)

        @wraps(lambda_handler)
        def guarded(event: Any, context: Any) -> Any:
            try:
                return handle(event, context)
            except Exception as error:
                # The process boundary: Lambda prints whatever leaves here.
                told = "".join(traceback.format_exception(error))
                if mask_log(told) == told:
                    raise
                self.exception("the handler failed")
                summary = mask_log(f"{type(error).__name__}: {error}")
            raise HiddenError(summary)

        return guarded


def start_logging() -> DeskLogger:
    """The function's logger. Called at import, by every function, before anything is logged."""
    root = logging.getLogger()
    for handler in root.handlers:
        if not isinstance(handler.formatter, _MaskingFormatter):
            handler.setFormatter(_MaskingFormatter(handler.formatter or logging.Formatter()))
    return DeskLogger(logger_formatter=_MaskingPowertoolsFormatter())


def mask_log(text: str) -> str:
    """A text of a log line as it may be kept."""
    if _DIGIT.search(text) is None:
        return text
    from caseweave.domain.masking import mask_text  # noqa: PLC0415 - compiles its patterns

    return mask_text(text, _find_shapes() if _WORTH_A_LOOK.search(text) else ()).text


def _find_shapes() -> "tuple[Shape, ...]":
    from caseweave.config.privacy import deployed_shapes  # noqa: PLC0415 - reads YAML

    return deployed_shapes()


class _MaskingPowertoolsFormatter(LambdaPowertoolsFormatter):
    """Powertools' formatter calls `serialize` with all that goes into a line."""

    def serialize(self, log: Any) -> str:
        return super().serialize(_mask_values(log))


class _MaskingFormatter(logging.Formatter):
    """Whatever *inner* makes of a record, masked: JSON by its values, so that it stays JSON."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        line = self._inner.format(record)
        try:
            log = json.loads(line)
        except ValueError:
            return mask_log(line)
        if not isinstance(log, dict):
            return mask_log(line)
        end = line[len(line.rstrip()) :]
        return json.dumps(_mask_values(log), ensure_ascii=False) + end


def _mask_values(log: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value if key in _OWN_KEYS else _mask(value) for key, value in log.items()}


def _mask(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {mask_log(str(key)): _mask(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_mask(inner) for inner in value]
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int):
        masked = mask_log(str(value))
        return value if masked == str(value) else masked
    return mask_log(str(value))
