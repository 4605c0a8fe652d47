"""A Telegram behind ``BaseRequest``: it keeps what is sent, and fails the way a test tells it to.

https://core.telegram.org/bots/api#making-requests
"""

import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import httpx
from telegram.constants import ChatID
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest

BOT = {"id": 123456789, "is_bot": True, "first_name": "Stembot", "username": "stembot_bot"}
SENDS = {"sendMessage", "sendAudio", "sendDocument", "sendMediaGroup"}


@dataclass(frozen=True)
class Fault:
    """How one call goes wrong. ``done``: Telegram did what it was asked, only the answer is lost."""

    status: int = 200
    body: bytes = b""
    lost_by: Exception | None = None
    done: bool = False


def lost(error: Exception, cause: httpx.TransportError, *, done: bool = False) -> Fault:
    """No answer comes, but what PTB raises then."""
    error.__cause__ = cause
    return Fault(lost_by=error, done=done)


def refusal(code: int, description: str, **parameters: object) -> Fault:
    body = {"ok": False, "error_code": code, "description": description}
    return Fault(code, json.dumps(body | ({"parameters": parameters} if parameters else {})).encode())


FINE: Fault | None = None  # in a script of faults: this one goes well
TOO_FAST = refusal(429, "Too Many Requests: retry after 7", retry_after=7)
NO_AUDIO_HERE = refusal(400, "Bad Request: not enough rights to send audios to the chat")
BLOCKED = refusal(403, "Forbidden: bot was blocked by the user")
KICKED = refusal(403, "Forbidden: bot was kicked from the supergroup chat")
CHAT_NOT_FOUND = refusal(400, "Bad Request: chat not found")
NO_THREAD = refusal(400, "Bad Request: message thread not found")
TOPIC_CLOSED = refusal(400, "Bad Request: TOPIC_CLOSED")
BAD_FILE_ID = refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")
NOT_THERE = refusal(400, "Bad Request: message to edit not found")
NO_KEYBOARD = refusal(400, "Bad Request: inline keyboard expected")
NOT_MODIFIED = refusal(400, "Bad Request: message is not modified: specified new message content is the same")
BAD_ALBUM = refusal(400, 'Bad Request: failed to send message #2 with the error message "MEDIA_EMPTY"')
REFUSED = refusal(400, "Bad Request: can't parse entities")
TOO_OLD = refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
UNAUTHORIZED = refusal(401, "Unauthorized")
NOT_FOUND = refusal(404, "Not Found")
CONFLICT = refusal(409, "Conflict: terminated by other getUpdates request")
TOO_BIG = Fault(413, b'{"ok":false,"error_code":413,"description":"Request Entity Too Large"}')
GATEWAY = Fault(502, b"<html>502 Bad Gateway</html>")
GARBLED = Fault(200, b'{"ok": true, "resu', done=True)
ANSWER_LOST = lost(TimedOut(), httpx.ReadTimeout(""), done=True)
UNREACHABLE = lost(NetworkError("no connection"), httpx.ConnectError(""))


def moved_to(new_id: int) -> Fault:
    return refusal(
        400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new_id
    )


@dataclass(frozen=True)
class Call:
    """A request as it arrived; ``at`` is the second, ``files`` the names of what was uploaded, and
    ``thumbnails`` the pictures that go with them, in their order."""

    method: str
    data: dict[str, object]
    at: float
    files: tuple[str, ...] = ()
    thumbnails: tuple[bytes, ...] = ()

    @property
    def chat_id(self) -> int | None:
        return self.data.get("chat_id")

    @property
    def text(self) -> str:
        return str(self.data.get("text", ""))


@dataclass
class FakeTelegram(BaseRequest):
    """``now`` tells the time; ``boundary`` is called when a call comes in, and when its answer goes out."""

    now: Callable[[], float]
    boundary: Callable[[str], None] = lambda _: None
    calls: list[Call] = field(default_factory=list)
    messages: dict[tuple[int, int], dict] = field(default_factory=dict)
    admins: set[int] = field(default_factory=set)
    faults: defaultdict[str, deque[Fault | None]] = field(default_factory=lambda: defaultdict(deque))
    faults_in: defaultdict[tuple[str, int], deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Fault] = field(default_factory=dict)
    pending: list[dict] = field(default_factory=list)  # updates for getUpdates
    known_files: dict[str, str] = field(default_factory=dict)  # file_id -> audio or document
    _ids: count = field(default_factory=lambda: count(1001))

    read_timeout = 5.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    def fail(self, method: str, *faults: Fault | None) -> None:
        """The next calls of a method go wrong like this, in turn."""
        self.faults[method].extend(faults)

    def fail_in(self, chat_id: int, method: str, *faults: Fault) -> None:
        """The next calls of a method in one chat."""
        self.faults_in[method, chat_id].extend(faults)

    def fail_always(self, method: str, fault: Fault) -> None:
        self.always[method] = fault

    def called(self, *methods: str) -> list[Call]:
        return [call for call in self.calls if call.method in methods]

    @property
    def sent(self) -> list[Call]:
        """What asked for a new message, in order."""
        return self.called(*SENDS)

    def texts_in(self, chat_id: int) -> list[str]:
        """The texts that a chat shows now."""
        return [one["text"] for (chat, _), one in self.messages.items() if chat == chat_id and "text" in one]

    def titles_in(self, chat_id: int) -> list[str]:
        """The files that a chat shows now, in order."""
        shown = [one for (chat, _), one in self.messages.items() if chat == chat_id]
        return [one[kind].get("title") or one[kind]["file_name"] for one in shown for kind in _kind(one)]

    def forget_files(self) -> None:
        """No file_id that was given out is good any more."""
        self.known_files.clear()

    async def do_request(self, url, method, request_data=None, **_timeouts):  # noqa: ARG002  always POST
        name = url.rsplit("/", 1)[1]
        data = dict(request_data.parameters) if request_data else {}
        files = dict(request_data.multipart_data) if request_data and request_data.contains_files else {}
        pictures = tuple(files.pop(key)[1] for key in _thumbnails(data))
        uploads = {key: (entry[0], _size(entry[1])) for key, entry in files.items()}
        self.boundary(f"{name} comes in")
        self.calls.append(Call(name, data, self.now(), tuple(file for file, _ in uploads.values()), pictures))
        fault = self._fault_of(name, data.get("chat_id"))
        if fault is None or fault.done:
            result = getattr(self, f"_{name}", self._otherwise)(data, uploads)
            self.boundary(f"{name} is answered")
            if isinstance(result, Fault):
                return result.status, result.body
        if fault is None:
            return 200, json.dumps({"ok": True, "result": result}).encode()
        if fault.lost_by is not None:
            raise fault.lost_by
        return fault.status, fault.body

    def _fault_of(self, method: str, chat_id: int | None) -> Fault | None:
        for coming in (self.faults_in[method, chat_id], self.faults[method]):
            if coming:
                return coming.popleft()
        return self.always.get(method)

    def _otherwise(self, _data, _uploads):
        return True

    def _getMe(self, _data, _uploads):
        return BOT

    def _getUpdates(self, data, _uploads):
        return [update for update in self.pending if update["update_id"] >= data.get("offset", 0)]

    def _getChatMember(self, data, _uploads):
        user = {"id": data["user_id"], "is_bot": False, "first_name": "Somebody"}
        if data["user_id"] not in self.admins:
            return {"user": user, "status": "member"}
        rights = ("can_be_edited", "can_manage_chat", "can_delete_messages", "can_manage_video_chats")
        more = ("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users")
        stories = ("can_post_stories", "can_edit_stories", "can_delete_stories", "is_anonymous")
        granted = dict.fromkeys((*rights, *more, *stories), True)
        return {"user": user, "status": "administrator", **granted}

    def _sendMessage(self, data, _uploads):
        return self._keep(data, text=data["text"], reply_markup=data.get("reply_markup"))

    def _editMessageText(self, data, _uploads):
        message = self.messages.get((data["chat_id"], data["message_id"]))
        if message is None:
            return NOT_THERE
        if data.get("reply_markup") == {}:
            return NO_KEYBOARD
        new = {"text": data["text"], "reply_markup": data.get("reply_markup")}
        if all(message.get(key) == value for key, value in new.items()):
            return NOT_MODIFIED
        message.update(new)
        return message

    def _editMessageReplyMarkup(self, data, _uploads):
        message = self.messages.get((data["chat_id"], data["message_id"]))
        if message is None:
            return NOT_THERE
        if message["reply_markup"] == data.get("reply_markup"):
            return NOT_MODIFIED
        message["reply_markup"] = data.get("reply_markup")
        return message

    def _sendAudio(self, data, uploads):
        return self._file("audio", data["audio"] if not uploads else "", data, list(uploads.values()))

    def _sendDocument(self, data, uploads):
        return self._file("document", data["document"] if not uploads else "", data, list(uploads.values()))

    def _sendMediaGroup(self, data, uploads):
        results = []
        for item in data["media"]:
            attached = item["media"].removeprefix("attach://")
            upload = [uploads[attached]] if attached in uploads else []
            results.append(self._file(item["type"], item["media"], {**data, **item}, upload))
        refused = next((one for one in results if isinstance(one, Fault)), None)
        for one in results if refused else ():  # all or nothing
            if not isinstance(one, Fault):
                del self.messages[one["chat"]["id"], one["message_id"]]
        return refused or results

    def _file(self, kind, file_id, data, uploads):
        if uploads:
            (name, size), file_id = uploads[0], f"file-{next(self._ids)}"
            self.known_files[file_id] = name
        elif file_id.startswith("https://"):
            name, size, file_id = file_id.rsplit("/", 1)[1], None, f"file-{next(self._ids)}"
            self.known_files[file_id] = name
        elif self.known_files.get(file_id) is None:
            return BAD_FILE_ID
        else:
            name, size = self.known_files[file_id], None
        body = {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_name": name}
        if kind == "audio":
            told = {"title": data.get("title", name), "performer": data.get("performer")}
            body |= {"duration": data.get("duration") or 1, **told}
        body |= {"file_size": size} if size else {}
        return self._keep(data, caption=data.get("caption"), **{kind: body})

    def _keep(self, data, **content):
        chat_id, message_id = int(data["chat_id"]), next(self._ids)
        content = {key: value for key, value in content.items() if value is not None}
        reply = (data.get("reply_parameters") or {}).get("message_id")
        message = {
            "message_id": message_id,
            "date": int(self.now()),
            "chat": chat(chat_id),
            "from": BOT,
            "replied_to": reply,
            "thread": data.get("message_thread_id"),
            **content,
        }
        self.messages[chat_id, message_id] = message
        return message


def chat(chat_id: int) -> dict:
    if chat_id > 0:
        return {"id": chat_id, "type": "private", "first_name": "Ann"}
    return {"id": chat_id, "type": "supergroup", "title": "The band"}


def anonymous_admin(chat_id: int) -> dict:
    """What an anonymous admin's message says of its sender."""
    bot = {"id": ChatID.ANONYMOUS_ADMIN, "is_bot": True, "first_name": "Group"}
    return {"from": bot, "sender_chat": chat(chat_id)}


def _thumbnails(data: dict) -> list[str]:
    """The names under which a request uploads them."""
    items = [data, *(data["media"] if isinstance(data.get("media"), list) else [])]
    return [item["thumbnail"].removeprefix("attach://") for item in items if item.get("thumbnail")]


def _kind(message: dict) -> list[str]:
    return [kind for kind in ("audio", "document") if kind in message]


def _size(content: object) -> int:
    return len(content if isinstance(content, bytes) else content.read())
