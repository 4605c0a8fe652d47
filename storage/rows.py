"""A frozen dataclass per row; fields are the columns of ``tables``, in their order."""

import json
from dataclasses import dataclass

from storage.states import JobState, LookupState, NoticeState, SeparationState


@dataclass(frozen=True, slots=True)
class User:
    id: int
    name: str
    username: str | None
    language: str | None
    first_seen_at: float


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    kind: str
    owner_id: int
    balance: int
    merged_into: int | None


@dataclass(frozen=True, slots=True)
class Song:
    audio_id: str
    task_id: str | None
    title: str | None
    artist: str | None
    cover_url: str | None
    duration_s: float | None
    learnt_from: str | None
    learnt_at: float


@dataclass(frozen=True, slots=True)
class Separation:
    id: int
    audio_id: str
    task_id: str | None
    mode: str
    provider: str
    state: SeparationState
    price: int
    tried_json: str
    paid_at: float | None
    credits_before: float | None
    upstream_task_id: str | None
    hinted_task_id: str | None
    callback_token: str
    created_at: float
    submitted_at: float | None
    finished_at: float | None
    deadline_at: float
    failures: int
    why: str | None
    due_at: float | None
    lease: str | None
    lease_until: float | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", SeparationState(self.state))

    @property
    def tried(self) -> dict[str, str]:
        """The upstreams that had their turn before, and why each did not do it."""
        return dict(json.loads(self.tried_json))


@dataclass(frozen=True, slots=True)
class Stem:
    id: int
    separation_id: int
    position: int
    name: str
    set_number: int
    url: str | None
    expires_at: float | None
    duration_s: float | None
    peak_dbfs: float | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class TelegramFile:
    stem_id: int
    bot_id: int
    kind: str
    file_id: str
    file_unique_id: str
    size_bytes: int | None
    sent_at: float


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    request_key: str
    separation_id: int
    account_id: int
    user_id: int | None
    chat_id: int
    message_id: int | None
    thread_id: int | None
    origin: str
    price: int
    selection: str | None
    state: JobState
    why: str | None
    created_at: float
    finished_at: float | None
    deadline_at: float | None
    failures: int
    acknowledged_at: float | None
    status_message_id: int | None
    status_shown: str | None
    status_edited_at: float | None
    status_due_at: float | None
    status_claimed_until: float | None
    due_at: float | None
    lease: str | None
    lease_until: float | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", JobState(self.state))


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    id: int
    account_id: int
    kind: str
    amount: int
    job_id: int | None
    operation: str
    note: str | None
    created_at: float


@dataclass(frozen=True, slots=True)
class Part:
    id: int
    job_id: int
    position: int
    kind: str
    state: str
    stem_ids_json: str
    message_ids_json: str | None
    why: str | None
    changed_at: float


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    update_id: int
    chat_id: int | None
    payload_json: str
    received_at: float
    handled_at: float | None
    tries: int
    why: str | None
    due_at: float | None
    lease: str | None
    lease_until: float | None


@dataclass(frozen=True, slots=True)
class Lookup:
    id: int
    request_key: str
    kind: str
    reference: str
    mode: str | None
    user_id: int | None
    chat_id: int
    message_id: int
    thread_id: int | None
    state: LookupState
    created_at: float
    failures: int
    due_at: float | None
    lease: str | None
    lease_until: float | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", LookupState(self.state))


@dataclass(frozen=True, slots=True)
class Notice:
    id: int
    operation: str
    chat_id: int
    text: str
    state: NoticeState
    failures: int
    due_at: float | None
    lease: str | None
    lease_until: float | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", NoticeState(self.state))
