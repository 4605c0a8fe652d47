"""Every table, index and check. Instants are UTC epoch seconds; ``_json`` columns hold JSON text.

It has more than 300 lines because the whole model is read best in one place.
"""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

from storage.states import OPEN_SEPARATIONS, Entry, JobState, LookupState, NoticeState, SeparationState

# SQLite's STRICT tables know INTEGER (64 bit) and REAL only.
Big = BigInteger().with_variant(Integer, "sqlite")
Instant: TypeEngine[float] = Double().with_variant(REAL, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: Column[object] | CheckConstraint | UniqueConstraint | Index) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def _one_of(
    column: str, words: type[SeparationState | JobState | Entry | LookupState | NoticeState]
) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({_quoted(words)})", name=f"{column}_known")


def _quoted(words: Iterable[StrEnum]) -> str:
    return ", ".join(f"'{word}'" for word in words)


# Every claimable row carries these: whose it is for now, until when, and when it wants attention next.
def _claimable() -> list[Column[object]]:
    return [Column("due_at", Instant), Column("lease", Text), Column("lease_until", Instant)]


users = _table(
    "users",
    Column("id", Big, primary_key=True, autoincrement=False),  # Telegram's id
    Column("name", Text, nullable=False),
    Column("username", Text),
    Column("language", Text),
    Column("first_seen_at", Instant, nullable=False),
)

chats = _table(
    "chats",
    Column("id", Big, primary_key=True, autoincrement=False),  # Telegram's id; negative for groups
    Column("kind", Text, nullable=False),  # private, group, supergroup, channel
    Column("title", Text),
    Column("first_seen_at", Instant, nullable=False),
    Column("gone_at", Instant),  # blocked, kicked or deleted; cleared when the chat speaks again
    Column("migrated_to", Big),
)

accounts = _table(
    "accounts",
    Column("id", Big, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner_id", Big, nullable=False),  # a user's id or a group's chat id
    # Kept by a trigger on entries, so that it cannot differ from their sum.
    Column("balance", Integer, nullable=False, server_default="0"),
    Column("merged_into", Big, ForeignKey("accounts.id")),  # whose credits its own are now
    UniqueConstraint("kind", "owner_id"),
    CheckConstraint("kind IN ('user', 'group', 'merged')", name="kind_known"),
    CheckConstraint("balance >= 0", name="balance_not_negative"),
    CheckConstraint("(merged_into IS NOT NULL) = (kind = 'merged')", name="merged_of_kind"),
)

songs = _table(
    "songs",
    Column("audio_id", Text, primary_key=True),
    Column("task_id", Text),  # only from an upstream's own list or after it was separated: never a guess
    Column("title", Text),
    Column("artist", Text),
    Column("cover_url", Text),
    Column("duration_s", Instant),
    Column("learnt_from", Text),  # the provider
    Column("learnt_at", Instant, nullable=False),
)

separations = _table(
    "separations",
    Column("id", Big, primary_key=True),
    Column("audio_id", Text, ForeignKey("songs.audio_id"), nullable=False),
    Column("task_id", Text),
    Column("mode", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("price", Integer, nullable=False),
    Column("tried_json", Text, nullable=False, server_default="[]"),  # [provider, why not] of those before
    Column("paid_at", Instant),  # only where the job that paid is forgotten
    Column("credits_before", Instant),  # the upstream's balance just before the submit
    Column("upstream_task_id", Text),
    Column(
        "hinted_task_id", Text
    ),  # what a callback claimed of an uncertain submit; checked before it is used
    Column("callback_token", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("submitted_at", Instant),
    Column("finished_at", Instant),
    Column("deadline_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("why", Text),  # why it is where it is, in words for people
    *_claimable(),
    CheckConstraint("price >= 0", name="price_not_negative"),
    CheckConstraint("mode IN ('basic', 'full')", name="mode_known"),
    _one_of("state", SeparationState),
    # A running task without its id could never be looked at.
    CheckConstraint(
        "state NOT IN ('running', 'succeeded') OR upstream_task_id IS NOT NULL", name="running_has_task"
    ),
)
# Single flight: one open separation per song and mode, whoever asks.
Index(
    "uq_separations_open",
    separations.c.audio_id,
    separations.c.mode,
    unique=True,
    sqlite_where=text(f"state IN ({_quoted(OPEN_SEPARATIONS)})"),
    postgresql_where=text(f"state IN ({_quoted(OPEN_SEPARATIONS)})"),
)
Index("ix_separations_due", separations.c.state, separations.c.provider, separations.c.due_at)
# Not unique: an upstream may answer a second order for the same song with the task it has already.
Index("ix_separations_task", separations.c.provider, separations.c.upstream_task_id)
Index("ix_separations_song", separations.c.audio_id, separations.c.mode, separations.c.state)

stems = _table(
    "stems",
    Column("id", Big, primary_key=True),
    Column("separation_id", Big, ForeignKey("separations.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("set_number", Integer, nullable=False, server_default="1"),
    Column("url", Text),  # null once it works no longer
    Column("expires_at", Instant),
    Column("duration_s", Instant),
    Column("peak_dbfs", Instant),  # measured at the first download; how loud it gets at all
    Column("size_bytes", Big),  # of what would be uploaded; measured then, too
    UniqueConstraint("separation_id", "position"),
    UniqueConstraint("separation_id", "name", "set_number"),
)

telegram_files = _table(
    "telegram_files",
    Column("stem_id", Big, ForeignKey("stems.id"), primary_key=True),
    Column("bot_id", Big, primary_key=True),  # a file_id belongs to one bot
    Column("kind", Text, primary_key=True),  # audio, document: a file_id keeps its type; or made to fit
    Column("file_id", Text, nullable=False),
    Column("file_unique_id", Text, nullable=False),
    Column("size_bytes", Big),
    Column("sent_at", Instant, nullable=False),
)

jobs = _table(
    "jobs",
    Column("id", Big, primary_key=True),
    Column("request_key", Text, nullable=False, unique=True),  # the message or press that asked: asked once
    Column("separation_id", Big, ForeignKey("separations.id"), nullable=False, index=True),
    Column("account_id", Big, ForeignKey("accounts.id"), nullable=False),
    Column("user_id", Big, ForeignKey("users.id")),  # null: an anonymous admin, the chat's admins decide
    Column("chat_id", Big, ForeignKey("chats.id"), nullable=False),
    Column("message_id", Big),  # the request, answered in reply
    Column("thread_id", Big),  # the forum topic
    Column("origin", Text, nullable=False),  # started it, joined it, or was served from the archive
    Column("price", Integer, nullable=False),
    Column("selection", Text),  # which stems: null for the first set; its words are read in delivery.records
    Column("state", Text, nullable=False),
    Column("why", Text),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("deadline_at", Instant),  # of the delivery, once it has begun
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("acknowledged_at", Instant),  # nothing is delivered before the acknowledgement went out
    Column("status_message_id", Big),
    Column("status_shown", Text),
    Column("status_edited_at", Instant),
    Column("status_due_at", Instant),
    Column("status_claimed_until", Instant),  # somebody is bringing the message up to date
    *_claimable(),
    CheckConstraint("origin IN ('started', 'joined', 'archive')", name="origin_known"),
    CheckConstraint("price >= 0", name="price_not_negative"),
    _one_of("state", JobState),
)
Index("ix_jobs_due", jobs.c.state, jobs.c.due_at)
for _name, _column in {"due": jobs.c.status_due_at, "claimed": jobs.c.status_claimed_until}.items():
    Index(
        f"ix_jobs_status_{_name}",
        _column,
        sqlite_where=_column.is_not(None),
        postgresql_where=_column.is_not(None),
    )
Index("ix_jobs_of_user", jobs.c.user_id, jobs.c.id)
Index("ix_jobs_of_chat", jobs.c.chat_id, jobs.c.state)

entries = _table(
    "entries",
    Column("id", Big, primary_key=True),
    Column("account_id", Big, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("amount", Integer, nullable=False),  # what it does to the balance; a capture does nothing more
    Column("job_id", Big),  # no foreign key: entries outlive their jobs
    Column("operation", Text, nullable=False, unique=True),  # what happened, once
    Column("note", Text),
    Column("created_at", Instant, nullable=False),
    _one_of("kind", Entry),
    CheckConstraint(
        "CASE WHEN kind IN ('grant', 'purchase', 'refund') THEN amount > 0"
        " WHEN kind = 'transfer' THEN amount <> 0"
        " WHEN kind = 'hold' THEN amount <= 0 WHEN kind = 'release' THEN amount >= 0 ELSE amount = 0 END",
        name="amount_of_kind",
    ),
    CheckConstraint(
        "(job_id IS NOT NULL) = (kind IN ('hold', 'capture', 'release', 'refund'))", name="job_of_kind"
    ),
)
for _name, _kinds in {"hold": "'hold'", "settled": "'capture', 'release'", "refund": "'refund'"}.items():
    Index(
        f"uq_entries_{_name}",
        entries.c.job_id,
        unique=True,
        sqlite_where=text(f"kind IN ({_kinds})"),
        postgresql_where=text(f"kind IN ({_kinds})"),
    )

parts = _table(
    "parts",
    Column("id", Big, primary_key=True),
    Column("job_id", Big, ForeignKey("jobs.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("stem_ids_json", Text, nullable=False),
    Column("message_ids_json", Text),
    Column("why", Text),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("job_id", "position"),
    CheckConstraint("kind IN ('album', 'single', 'url', 'links')", name="kind_known"),
    CheckConstraint(
        "state IN ('pending', 'sending', 'sent', 'unknown', 'refused', 'gone', 'silent')", name="state_known"
    ),
)

updates = _table(
    "updates",
    Column("update_id", Big, primary_key=True, autoincrement=False),
    Column("chat_id", Big),
    Column("payload_json", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("handled_at", Instant),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("why", Text),  # what went wrong, where it was given up
    *_claimable(),
)
Index(
    "ix_updates_open",
    updates.c.update_id,
    sqlite_where=text("handled_at IS NULL"),
    postgresql_where=text("handled_at IS NULL"),
)

lookups = _table(
    "lookups",
    Column("id", Big, primary_key=True),
    Column("request_key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # task: name its songs; share: name the song behind a short link
    Column("reference", Text, nullable=False),
    Column("mode", Text),
    Column("user_id", Big, ForeignKey("users.id")),
    Column("chat_id", Big, ForeignKey("chats.id"), nullable=False),
    Column("message_id", Big, nullable=False),
    Column("thread_id", Big),
    Column("state", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    *_claimable(),
    CheckConstraint("kind IN ('task', 'share')", name="kind_known"),
    _one_of("state", LookupState),
)
Index("ix_lookups_due", lookups.c.state, lookups.c.due_at)

alerts = _table(
    "alerts",
    Column("key", Text, primary_key=True),  # what is wrong, such as "kie:credits"
    Column("since", Instant, nullable=False),
)

notices = _table(
    "notices",
    Column("id", Big, primary_key=True),
    Column("operation", Text, nullable=False, unique=True),  # said once
    Column("chat_id", Big, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    *_claimable(),
    _one_of("state", NoticeState),
)
Index("ix_notices_due", notices.c.state, notices.c.due_at)
