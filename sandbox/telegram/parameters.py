"""The parameters of a call, however they were sent, and their typed reading.

https://core.telegram.org/bots/api#making-requests
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message as AsgiMessage
from starlette.types import Receive

from sandbox.telegram.errors import ApiError, bad_request, too_large

OVERHEAD_BYTES = 1024 * 1024  # what a request may be larger than its files
FIELD_MAX_BYTES = 1024 * 1024
TRUE = {"true", "yes", "1"}
JSON_NAMES = {
    "allowed_updates",
    "caption_entities",
    "commands",
    "entities",
    "link_preview_options",
    "media",
    "message_ids",
    "reaction",
    "reply_markup",
    "reply_parameters",
    "scope",
}


@dataclass(frozen=True)
class Parameters:
    """Values by name (text, or what a JSON body held) and uploads by the name of their part."""

    values: Mapping[str, Any] = field(default_factory=dict)
    uploads: Mapping[str, UploadFile] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        """A string, "" where it is missing."""
        value = self.values.get(name)
        return value if isinstance(value, str) else "" if value is None else json.dumps(value)

    def required(self, name: str) -> str:
        if not self.has(name):
            raise bad_request(f'Parameter "{name}" is required')
        return self.text(name)

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number; the default where it is missing or none."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def boolean(self, name: str) -> bool:
        return self.text(name).strip().lower() in TRUE

    def json(self, name: str, complaint: str) -> Any:
        """Parsed JSON, None where it is missing; ApiError 400 with the complaint."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            return value or None
        try:
            return json.loads(value)
        except ValueError as error:
            raise bad_request(complaint) from error

    @property
    def upload_bytes(self) -> int:
        """The size of all uploads together."""
        return sum(upload.size or 0 for upload in self.uploads.values())

    def recorded(self) -> dict[str, Any]:
        """Without bytes, JSON texts parsed: for the record of calls."""
        files = {name: f"<{upload.size} bytes {upload.filename}>" for name, upload in self.uploads.items()}
        return {name: _readable(name, value) for name, value in self.values.items()} | files

    async def close(self) -> None:
        for upload in self.uploads.values():
            await upload.close()


def _readable(name: str, value: Any) -> Any:
    if name not in JSON_NAMES or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


class Counted:
    """A body that is drained and refused above a size, as a proxy would do."""

    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive, self._left = receive, max_bytes

    async def __call__(self) -> AsgiMessage:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            # Reading on lets the client finish its upload and read the answer.
            while message.get("more_body"):
                message = await self._receive()
            raise too_large()
        return message


async def read_parameters(request: Request, *, upload_max_bytes: int) -> Parameters:
    """Query string and body together; ApiError 413 above the size, 400 for a broken body."""
    counted = Counted(request.receive, upload_max_bytes + OVERHEAD_BYTES)
    request = Request(request.scope, counted)
    values: dict[str, Any] = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        return Parameters(values | parsed_body(await request.body()))
    try:
        form = await request.form(max_part_size=FIELD_MAX_BYTES)
    except MultiPartException as error:
        raise bad_request("can't parse the request body") from error
    return await _from_form(form.multi_items(), values, upload_max_bytes)


async def _from_form(
    items: Iterable[tuple[str, UploadFile | str]], values: dict[str, Any], upload_max_bytes: int
) -> Parameters:
    uploads: dict[str, UploadFile] = {}
    for name, value in items:
        if isinstance(value, UploadFile):
            uploads[name] = value
        else:
            values[name] = value
    parameters = Parameters(values, uploads)
    if parameters.upload_bytes > upload_max_bytes:
        await parameters.close()
        raise too_large()
    return parameters


def parsed_body(body: bytes) -> dict[str, Any]:
    """A JSON object as parameters."""
    try:
        values = json.loads(body or b"{}")
    except ValueError as error:
        raise unreadable() from error
    if not isinstance(values, dict):
        raise unreadable()
    return values


def unreadable() -> ApiError:
    return bad_request("can't parse request body JSON object")
