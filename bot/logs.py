"""The log on stderr: a line of text or of JSON per record, with every secret taken out.

Redaction works on what is about to be written, so arguments, exceptions and tracebacks go through it too.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from urllib.parse import quote, quote_plus

HIDDEN = "[secret]"

# What gives itself away by its form, whoever it belongs to; the first group stays.
PATTERNS = (
    r"()\d{6,}(?::|%3A)[\w-]{30,}",  # bot tokens, in paths and in query strings
    r"()\bBearer\s+[\w.~+/=-]{8,}",
    r"(://[^\s/:@]*:)[^\s/@]+(?=@)",  # passwords in addresses
    r"(/upstream/\w+/)[\w-]+",  # the token of a callback address
)

# A password this short would blot out ordinary words; PATTERNS finds it in addresses.
SECRET_MIN_LENGTH = 6

# Loggers that are never let below a level: they tell of every request, statement or poll.
FLOORS = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "urllib3": logging.WARNING,
    "uvicorn": logging.WARNING,
    "alembic": logging.WARNING,
    "telegram.request": logging.CRITICAL,  # what it complains of is raised as well, without a traceback
    "python_multipart": logging.WARNING,
    "aiosqlite": logging.INFO,
    "asyncio": logging.INFO,
}

CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {ord("\n"): "\\n"}

Redact = Callable[[str], str]


def configure(level: str, format: str, secrets: Iterable[str]) -> None:
    """Send everything from ``level`` up to stderr, as ``format`` "text" or "json"; what was set up goes."""
    handler = _Stderr()
    handler.setFormatter(FORMATTERS[format](redaction(secrets)))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name, floor in FLOORS.items():
        logging.getLogger(name).setLevel(max(floor, root.level))
    logging.captureWarnings(True)
    # Python's own last words would go to stderr as they are.
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def redaction(secrets: Iterable[str]) -> Redact:
    """A function that hides ``secrets``, in every spelling a log line may have of them, and ``PATTERNS``."""
    spellings = {
        spelling for secret in secrets if len(secret) >= SECRET_MIN_LENGTH for spelling in _spellings(secret)
    }
    exact = [f"(){re.escape(spelling)}" for spelling in sorted(spellings, key=len, reverse=True)]
    expressions = [re.compile(expression, re.IGNORECASE) for expression in (*exact, *PATTERNS)]

    def redact(text: str) -> str:
        for expression in expressions:
            text = expression.sub(rf"\g<1>{HIDDEN}", text)
        return text

    return redact


def _spellings(secret: str) -> set[str]:
    plain = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return plain | {repr(secret)[1:-1], json.dumps(secret)[1:-1]}


class _Formatter(logging.Formatter):
    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def _trouble(self, record: logging.LogRecord) -> str:
        stack = self.formatStack(record.stack_info) if record.stack_info else ""
        return "\n".join(
            filter(None, [self.formatException(record.exc_info) if record.exc_info else "", stack])
        )


class TextFormatter(_Formatter):
    """``2026-11-20T06:19:00.123Z INFO bot.app: ready``, then the traceback, if any."""

    def format(self, record: logging.LogRecord) -> str:
        # A foreign text must not look like a line of its own, nor speak to the terminal.
        message = record.getMessage().translate(CONTROLS)
        line = f"{_time(record)} {record.levelname} {record.name}: {message}"
        return self._redact("\n".join(filter(None, [line, self._trouble(record)])))


class JsonFormatter(_Formatter):
    """An object with ``time``, ``level``, ``logger``, ``message`` and, if there was one, ``exc``."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": _time(record), "level": record.levelname, "logger": record.name}
        entry["message"] = record.getMessage()
        if trouble := self._trouble(record):
            entry["exc"] = trouble
        # Each value before it is quoted: what is cut out afterwards could take a quotation mark along.
        return json.dumps({key: self._redact(value) for key, value in entry.items()})


FORMATTERS: dict[str, type[_Formatter]] = {"text": TextFormatter, "json": JsonFormatter}


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # it is generic for the type checker only
    def handleError(self, record: logging.LogRecord) -> None:
        """Say where, not what: logging itself would print the arguments of the record, unredacted."""
        kind = type(sys.exception()).__name__
        sys.stderr.write(f"a log line was lost at {record.pathname}:{record.lineno} ({kind})\n")


def _time(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger(__name__).critical("stopped by an error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else "?"
        details = (args.exc_type, args.exc_value, args.exc_traceback)
        logging.getLogger(__name__).critical("thread %s stopped by an error", name, exc_info=details)
