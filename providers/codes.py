"""What an upstream's codes mean: a visible table per upstream, one column for a submit and one for a look."""

from collections.abc import Mapping
from typing import TypeAlias

from providers.base import Failed
from providers.errors import (
    Misconfigured,
    OutcomeUnknown,
    ProviderError,
    TaskUnknown,
    TooFast,
    Unavailable,
)
from providers.http import Reply, safe

OnSubmit: TypeAlias = type[ProviderError]
OnLook: TypeAlias = type[ProviderError] | type[Failed]  # Failed: the task is over
Row: TypeAlias = tuple[OnSubmit, OnLook]
Codes: TypeAlias = Mapping[int, Row]

UNKNOWN: Row = (OutcomeUnknown, Unavailable)

# Where an answer names no code of the API, as a CDN's or a proxy's page never does, its HTTP status is all
# there is. A look at running work must outlive such a page, so none of them ends anything there.
STATUSES: Codes = {
    408: (OutcomeUnknown, Unavailable),
    429: (TooFast, TooFast),
}
HUNDREDS: Codes = {
    3: (Misconfigured, Unavailable),  # the address moved; redirects are not followed
    4: (Misconfigured, Unavailable),
}


def by_status(status: int) -> Row:
    return STATUSES.get(status) or HUNDREDS.get(status // 100, UNKNOWN)


def told(reply: Reply, message: str | None, code: int | None = None) -> str:
    """The upstream's own words, safe to show; what came instead where it had none."""
    if reply.json is not None:
        label = f"HTTP {reply.status}" if code is None else f"code {code}"
        return f"{safe(message or '') or 'no reason given'} ({label})"
    page = "an HTML page" if reply.text_head.startswith("<") else reply.text_head or "an empty body"
    if reply.status == 403:
        return f"the CDN in front of it blocked the request (HTTP 403, {page})"
    return f"an answer that is not its API's (HTTP {reply.status}, {page})"


def error_of(kind: type[ProviderError], why: str, reply: Reply) -> ProviderError:
    return kind(why, reply.wait_s) if issubclass(kind, TooFast) else kind(why)


def judge_look(row: Row, why: str, reply: Reply) -> Failed:
    """The end of the task where the table says so; raises where it says something else."""
    kind = row[1]
    if issubclass(kind, Failed):
        return Failed(why)
    raise error_of(kind, why, reply)


def question_error(row: Row, why: str, reply: Reply, unknown: type[ProviderError]) -> ProviderError:
    """For what is only asked about, songs and credits: ``unknown`` where a look would be at its end."""
    if reply.json is None:  # no work is at stake here: a CDN in the way is told to the operator at once
        return error_of(Unavailable if row[0] is OutcomeUnknown else row[0], why, reply)
    kind = row[1]
    return error_of(unknown if issubclass(kind, Failed | TaskUnknown) else kind, why, reply)
