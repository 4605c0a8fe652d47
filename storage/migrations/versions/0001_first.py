"""The first model: people and chats, songs, separations, jobs, ledger, deliveries, intake.

Over 300 lines because a migration spells every column out and never changes again.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite's STRICT tables know INTEGER (64 bit) and REAL only.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")

SETTLES_HOLD = """
    SELECT 1 FROM entries AS held
    WHERE held.job_id = NEW.job_id AND held.account_id = NEW.account_id AND held.kind = 'hold'
      AND (NEW.kind = 'capture' OR NEW.amount = -held.amount)
"""
FOLLOWS_CAPTURE = """
    SELECT 1 FROM entries AS spent JOIN entries AS held ON held.job_id = spent.job_id AND held.kind = 'hold'
    WHERE spent.job_id = NEW.job_id AND spent.account_id = NEW.account_id AND spent.kind = 'capture'
      AND NEW.amount <= -held.amount
"""
SUM_OF_ENTRIES = "(SELECT coalesce(sum(amount), 0) FROM entries WHERE account_id = NEW.id)"
SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER entries_keep_balance AFTER INSERT ON entries
    BEGIN UPDATE accounts SET balance = balance + NEW.amount WHERE id = NEW.account_id; END
    """,
    """
    CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END
    """,
    """
    CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END
    """,
    f"""
    CREATE TRIGGER entries_settle_a_hold BEFORE INSERT ON entries
    WHEN NEW.kind IN ('capture', 'release') AND NOT EXISTS ({SETTLES_HOLD})
    BEGIN SELECT RAISE(ABORT, 'a capture or release settles the whole hold of its job'); END
    """,
    f"""
    CREATE TRIGGER entries_refund_a_capture BEFORE INSERT ON entries
    WHEN NEW.kind = 'refund' AND NOT EXISTS ({FOLLOWS_CAPTURE})
    BEGIN SELECT RAISE(ABORT, 'a refund follows a capture and gives no more back'); END
    """,
    f"""
    CREATE TRIGGER accounts_balance_is_the_sum BEFORE UPDATE OF balance ON accounts
    WHEN NEW.balance <> {SUM_OF_ENTRIES}
    BEGIN SELECT RAISE(ABORT, 'a balance is the sum of its entries'); END
    """,
)
POSTGRESQL_TRIGGERS = (
    f"""
    CREATE FUNCTION entries_check() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            RAISE EXCEPTION 'entries are append-only' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.kind IN ('capture', 'release') AND NOT EXISTS ({SETTLES_HOLD}) THEN
            RAISE EXCEPTION 'a capture or release settles the whole hold of its job'
                USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.kind = 'refund' AND NOT EXISTS ({FOLLOWS_CAPTURE}) THEN
            RAISE EXCEPTION 'a refund follows a capture and gives no more back'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER entries_check BEFORE INSERT OR UPDATE OR DELETE ON entries
    FOR EACH ROW EXECUTE FUNCTION entries_check()
    """,
    """
    CREATE FUNCTION entries_keep_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE accounts SET balance = balance + NEW.amount WHERE id = NEW.account_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER entries_keep_balance AFTER INSERT ON entries
    FOR EACH ROW EXECUTE FUNCTION entries_keep_balance()
    """,
    f"""
    CREATE FUNCTION accounts_balance_is_the_sum() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.balance <> {SUM_OF_ENTRIES} THEN
            RAISE EXCEPTION 'a balance is the sum of its entries' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER accounts_balance_is_the_sum BEFORE UPDATE OF balance ON accounts
    FOR EACH ROW EXECUTE FUNCTION accounts_balance_is_the_sum()
    """,
)


def only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("balance", sa.Integer(), server_default="0", nullable=False),
        sa.Column("merged_into", BIG, nullable=True),
        sa.CheckConstraint("kind IN ('user', 'group', 'merged')", name=op.f("ck_accounts_kind_known")),
        sa.CheckConstraint(
            "(merged_into IS NOT NULL) = (kind = 'merged')", name=op.f("ck_accounts_merged_of_kind")
        ),
        sa.ForeignKeyConstraint(["merged_into"], ["accounts.id"], name="fk_accounts_merged_into"),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_accounts_balance_not_negative")),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("kind", "owner_id", name="uq_accounts_kind_owner_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "chats",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.Column("gone_at", INSTANT, nullable=True),
        sa.Column("migrated_to", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_chats"),
        sqlite_strict=True,
    )
    op.create_table(
        "songs",
        sa.Column("audio_id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("artist", sa.Text(), nullable=True),
        sa.Column("cover_url", sa.Text(), nullable=True),
        sa.Column("duration_s", INSTANT, nullable=True),
        sa.Column("learnt_from", sa.Text(), nullable=True),
        sa.Column("learnt_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("audio_id", name="pk_songs"),
        sqlite_strict=True,
    )
    op.create_table(
        "updates",
        sa.Column("update_id", BIG, autoincrement=False, nullable=False),
        sa.Column("chat_id", BIG, nullable=True),
        sa.Column("payload_json", sa.Text(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("handled_at", INSTANT, nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("update_id", name="pk_updates"),
        sqlite_strict=True,
    )
    op.create_index("ix_updates_open", "updates", ["update_id"], **only("handled_at IS NULL"))
    op.create_table(
        "users",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sqlite_strict=True,
    )
    op.create_table(
        "lookups",
        sa.Column("id", BIG, nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("chat_id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("thread_id", BIG, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.CheckConstraint("kind IN ('task', 'share')", name=op.f("ck_lookups_kind_known")),
        sa.CheckConstraint("state IN ('asked', 'answered')", name=op.f("ck_lookups_state_known")),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name="fk_lookups_chat_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_lookups_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lookups"),
        sa.UniqueConstraint("request_key", name="uq_lookups_request_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_lookups_due", "lookups", ["state", "due_at"])
    op.create_table(
        "separations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("audio_id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("tried_json", sa.Text(), server_default="[]", nullable=False),
        sa.Column("paid_at", INSTANT, nullable=True),
        sa.Column("credits_before", INSTANT, nullable=True),
        sa.Column("upstream_task_id", sa.Text(), nullable=True),
        sa.Column("hinted_task_id", sa.Text(), nullable=True),
        sa.Column("callback_token", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("deadline_at", INSTANT, nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.CheckConstraint("mode IN ('basic', 'full')", name=op.f("ck_separations_mode_known")),
        sa.CheckConstraint(
            "state IN ('queued', 'submitting', 'running', 'uncertain', 'succeeded', 'failed', 'cancelled')",
            name=op.f("ck_separations_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('running', 'succeeded') OR upstream_task_id IS NOT NULL",
            name=op.f("ck_separations_running_has_task"),
        ),
        sa.CheckConstraint("price >= 0", name=op.f("ck_separations_price_not_negative")),
        sa.ForeignKeyConstraint(["audio_id"], ["songs.audio_id"], name="fk_separations_audio_id"),
        sa.PrimaryKeyConstraint("id", name="pk_separations"),
        sa.UniqueConstraint("callback_token", name="uq_separations_callback_token"),
        sqlite_strict=True,
    )
    op.create_index("ix_separations_due", "separations", ["state", "provider", "due_at"])
    op.create_index("ix_separations_task", "separations", ["provider", "upstream_task_id"])
    op.create_index("ix_separations_song", "separations", ["audio_id", "mode", "state"])
    op.create_index(
        "uq_separations_open",
        "separations",
        ["audio_id", "mode"],
        unique=True,
        **only("state IN ('queued', 'submitting', 'running', 'uncertain')"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", BIG, nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("separation_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("chat_id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=True),
        sa.Column("thread_id", BIG, nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("selection", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("deadline_at", INSTANT, nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("acknowledged_at", INSTANT, nullable=True),
        sa.Column("status_message_id", BIG, nullable=True),
        sa.Column("status_shown", sa.Text(), nullable=True),
        sa.Column("status_edited_at", INSTANT, nullable=True),
        sa.Column("status_due_at", INSTANT, nullable=True),
        sa.Column("status_claimed_until", INSTANT, nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.CheckConstraint("origin IN ('started', 'joined', 'archive')", name=op.f("ck_jobs_origin_known")),
        sa.CheckConstraint(
            "state IN ('waiting', 'leaving', 'delivering', 'delivered', 'left', 'failed', 'cancelled')",
            name=op.f("ck_jobs_state_known"),
        ),
        sa.CheckConstraint("price >= 0", name=op.f("ck_jobs_price_not_negative")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_jobs_account_id"),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name="fk_jobs_chat_id"),
        sa.ForeignKeyConstraint(["separation_id"], ["separations.id"], name="fk_jobs_separation_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_jobs_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("request_key", name="uq_jobs_request_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_jobs_due", "jobs", ["state", "due_at"])
    op.create_index("ix_jobs_of_chat", "jobs", ["chat_id", "state"])
    op.create_index("ix_jobs_of_user", "jobs", ["user_id", "id"])
    op.create_index("ix_jobs_separation_id", "jobs", ["separation_id"])
    op.create_index("ix_jobs_status_due", "jobs", ["status_due_at"], **only("status_due_at IS NOT NULL"))
    op.create_index(
        "ix_jobs_status_claimed",
        "jobs",
        ["status_claimed_until"],
        **only("status_claimed_until IS NOT NULL"),
    )
    op.create_table(
        "stems",
        sa.Column("id", BIG, nullable=False),
        sa.Column("separation_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("set_number", sa.Integer(), server_default="1", nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("duration_s", INSTANT, nullable=True),
        sa.Column("peak_dbfs", INSTANT, nullable=True),
        sa.Column("size_bytes", BIG, nullable=True),
        sa.ForeignKeyConstraint(["separation_id"], ["separations.id"], name="fk_stems_separation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stems"),
        sa.UniqueConstraint(
            "separation_id", "name", "set_number", name="uq_stems_separation_id_name_set_number"
        ),
        sa.UniqueConstraint("separation_id", "position", name="uq_stems_separation_id_position"),
        sqlite_strict=True,
    )
    op.create_table(
        "entries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("job_id", BIG, nullable=True),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "(job_id IS NOT NULL) = (kind IN ('hold', 'capture', 'release', 'refund'))",
            name=op.f("ck_entries_job_of_kind"),
        ),
        sa.CheckConstraint(
            "CASE WHEN kind IN ('grant', 'purchase', 'refund') THEN amount > 0 "
            "WHEN kind = 'transfer' THEN amount <> 0 "
            "WHEN kind = 'hold' THEN amount <= 0 "
            "WHEN kind = 'release' THEN amount >= 0 ELSE amount = 0 END",
            name=op.f("ck_entries_amount_of_kind"),
        ),
        sa.CheckConstraint(
            "kind IN ('grant', 'purchase', 'hold', 'capture', 'release', 'refund', 'transfer')",
            name=op.f("ck_entries_kind_known"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_entries_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sa.UniqueConstraint("operation", name="uq_entries_operation"),
        sqlite_strict=True,
    )
    op.create_index("ix_entries_account_id", "entries", ["account_id"])
    op.create_index("uq_entries_hold", "entries", ["job_id"], unique=True, **only("kind IN ('hold')"))
    op.create_index("uq_entries_refund", "entries", ["job_id"], unique=True, **only("kind IN ('refund')"))
    op.create_index(
        "uq_entries_settled", "entries", ["job_id"], unique=True, **only("kind IN ('capture', 'release')")
    )
    op.create_table(
        "parts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("job_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stem_ids_json", sa.Text(), nullable=False),
        sa.Column("message_ids_json", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('album', 'single', 'url', 'links')", name=op.f("ck_parts_kind_known")),
        sa.CheckConstraint(
            "state IN ('pending', 'sending', 'sent', 'unknown', 'refused', 'gone', 'silent')",
            name=op.f("ck_parts_state_known"),
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_parts_job_id"),
        sa.PrimaryKeyConstraint("id", name="pk_parts"),
        sa.UniqueConstraint("job_id", "position", name="uq_parts_job_id_position"),
        sqlite_strict=True,
    )
    op.create_table(
        "telegram_files",
        sa.Column("stem_id", BIG, nullable=False),
        sa.Column("bot_id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("file_unique_id", sa.Text(), nullable=False),
        sa.Column("size_bytes", BIG, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["stem_id"], ["stems.id"], name="fk_telegram_files_stem_id"),
        sa.PrimaryKeyConstraint("stem_id", "bot_id", "kind", name="pk_telegram_files"),
        sqlite_strict=True,
    )
    op.create_table(
        "alerts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_alerts"),
        sqlite_strict=True,
    )
    op.create_table(
        "notices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("chat_id", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('unsaid', 'said')", name=op.f("ck_notices_state_known")),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("operation", name="uq_notices_operation"),
        sqlite_strict=True,
    )
    op.create_index("ix_notices_due", "notices", ["state", "due_at"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for trigger in SQLITE_TRIGGERS if is_sqlite else POSTGRESQL_TRIGGERS:
        op.execute(trigger)
