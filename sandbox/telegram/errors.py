"""How the Bot API refuses: a code, a description, sometimes parameters.

https://core.telegram.org/bots/api#making-requests
"""

from collections.abc import Mapping
from typing import Any

PREFIXES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


class ApiError(Exception):
    """One refusal, as the bot will read it; ``str()`` is the description."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, dict(parameters or {})

    def wire(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def refusal(code: int, text: str, parameters: Mapping[str, Any] | None = None) -> ApiError:
    """An error with Telegram's prefix; a sentence loses its capital, a code like TOPIC_CLOSED keeps it."""
    is_code = len(text) > 1 and (text[1] == "_" or text[1].isupper())
    sentence = text if is_code else text[:1].lower() + text[1:]
    return ApiError(code, f"{PREFIXES[code]}: {sentence}", parameters)


def bad_request(text: str, parameters: Mapping[str, Any] | None = None) -> ApiError:
    """HTTP 400."""
    return refusal(400, text, parameters)


def forbidden(text: str) -> ApiError:
    """HTTP 403."""
    return refusal(403, text)


def conflict(text: str) -> ApiError:
    """HTTP 409."""
    return refusal(409, text)


def too_many_requests(retry_after_s: int) -> ApiError:
    """HTTP 429; the answer carries Retry-After, too."""
    text = f"Too Many Requests: retry after {retry_after_s}"
    return ApiError(429, text, {"retry_after": retry_after_s})


def too_large() -> ApiError:
    """HTTP 413, which Telegram's front gives before the Bot API sees the request."""
    return ApiError(413, "Request Entity Too Large")
