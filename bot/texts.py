"""Every sentence the bot says, as Telegram HTML. Foreign text is escaped here and nowhere else.

More than 300 lines, because the tone of all of them is best kept in one place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bot.delivery.plan import song_name
from providers.base import Mode
from providers.stems import label
from storage.jobs import JobView
from storage.ledger import JobNote, Statement
from storage.rows import Job, LedgerEntry, Separation, Song
from storage.states import Entry, JobState, SeparationState

S = SeparationState
J = JobState

EXAMPLE = "5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034"
MODES = {Mode.BASIC: "vocals + instrumental", Mode.FULL: "full set, up to 12 stems"}
USUAL = {Mode.BASIC: "1–2 minutes", Mode.FULL: "2–3 minutes"}

ORDERED_WITHIN_S = 60.0  # what takes longer waits for the upstream
JOBS_NAMED = 5
TITLE_SHOWN = 40  # ten of them have to fit into one message of /credits

COMMANDS: dict[str, str] = {
    "stems": "split a song into its stems",
    "jobs": "your jobs: state, send again, cancel",
    "credits": "your balance and what things cost",
    "cancel": "withdraw a job",
    "help": "how this works",
}

STEMS_USAGE = (
    f"Send the song with the command: <code>/stems {EXAMPLE}</code>, or the same with <code>full</code>"
    " behind it."
)
NOT_AN_ID = (
    "“{word}” is not a song id. A song id or link looks like this:"
    f" <code>/stems {EXAMPLE}</code> or <code>/stems https://suno.com/song/{EXAMPLE}</code>"
)
UNKNOWN_WORD = (
    "I don't know “{word}”. Behind the song only <code>full</code> may stand:"
    f" <code>/stems {EXAMPLE} full</code>"
)
TOO_MANY = f"One song at a time, please: <code>/stems {EXAMPLE} full</code>"
CANCEL_USAGE = "Which job? Send its number, as in <code>/cancel 12</code>. /jobs shows them."
NO_SUCH_JOB = "You have no job {number}. /jobs shows yours."
NOTHING_TO_CANCEL = "There is nothing to cancel any more, job {number} is {state}. /jobs shows your jobs."
NOT_YOURS = "Only the person who asked can press this. Send /stems with the song to get your own."
STALE_BUTTON = "This button is too old. Send /stems with the song."
CHANNEL_SENDER = "I can't tell who asks when a channel speaks. Please ask as yourself."
NOT_SERVED = "This bot serves invited people only. Give its operator your id: <code>{user_id}</code>"
FILES_REFUSED = "files could not be sent"
CHAT_GONE = "I can't write to the chat where you asked any more"
NO_FILES_HERE = "this chat does not let me send audio"
GROUP_FULL = "Telegram lets a group have only so many messages a minute"
TELEGRAM_BUSY = "Telegram asks me to send more slowly"
TELEGRAM_AWAY = "Telegram could not be reached"
DOWNLOAD_BROKE = "a download broke off"
SOMETHING_BROKE = (
    "Something went wrong on my side. Nothing was charged for this message; please send it again."
)
LOOKING_UP_TASK = "Looking up the songs of task <code>{task_id}</code>…"
PICK_SONG = "Which song of this task? {price} credits for {mode}."
TASK_UNKNOWN = (
    "No upstream knows task <code>{task_id}</code>. Send a song's own id instead:"
    f" <code>/stems {EXAMPLE}</code>"
)
TASK_EMPTY = (
    "Task <code>{task_id}</code> holds no finished song yet. Try again when it is done, or send a song's id:"
    f" <code>/stems {EXAMPLE}</code>"
)
TASK_UNREADABLE = (
    "I couldn't look up task <code>{task_id}</code>: {why}. Nothing was charged. Try again later, or send"
    f" a song's own id: <code>/stems {EXAMPLE}</code>"
)
SHARE_UNREADABLE = (
    "I couldn't find the song behind that share link. Open it and send me the address of the song's page:"
    f" <code>https://suno.com/song/{EXAMPLE}</code>"
)
INSUFFICIENT_TOAST = (
    "This costs {price} credits, you have {balance}. Nothing was charged. /credits shows what things cost."
)
CANCELLED_TOAST = "Cancelled. Nothing was charged."
LEAVING_TOAST = "Others wait for this song, so the work goes on. Its price stays with you if it succeeds."
FILES_LOST = "It was split before, but those files are no longer kept: it has to be made anew."
OPEN_PRIVATE_CHAT = (
    "I can't write to you yet. Open a chat with @{username}, press Start, then press here again."
)
SENT_TO_PRIVATE = "They are on their way to your private chat."
ALREADY_ASKED = "That is under way already: job {number}."


def help_text(prices: Mapping[Mode, int], repeat_price: int) -> str:
    return (
        "I split Suno songs into their stems.\n\n"
        f"{_commands(prices)}\n\n"
        "A suno.com link works as well, also as a reply to a message that holds one. In a private chat the"
        " link alone is enough. Songs that were split before come at once and cost"
        f" {_credits(repeat_price) if repeat_price else 'nothing'}.\n\n"
        "/jobs your jobs · /credits your balance · /cancel withdraw a job"
    )


def start_text(prices: Mapping[Mode, int], repeat_price: int, balance: int) -> str:
    return f"{help_text(prices, repeat_price)}\n\nYou have {_credits(balance)}."


def files_expired(again_price: int | None) -> str:
    price = "" if again_price is None else f", for {_credits(again_price)}"
    return f"These files are no longer kept. Ask for the song with /stems to have it separated again{price}."


def insufficient(price: int, balance: int, prices: Mapping[Mode, int], audio_id: str = EXAMPLE) -> str:
    told = f"This costs {_credits(price)}, you have {_credits(balance)}. Nothing was charged."
    basic = prices.get(Mode.BASIC, price)
    what = f"<code>/stems {audio_id}</code> costs {basic}"
    if basic <= balance:
        return f"{told} You have enough for {MODES[Mode.BASIC]}: {what}."
    return f"{told} Ask whoever runs this bot for more; {what}."


def no_provider(why: str, audio_id: str, *, takes_basic: bool) -> str:
    """``why`` is a provider's sentence; what follows is what would work."""
    reference = escape(audio_id) if takes_basic else f"7c1f0e9ab2d34c56a8f0917be2d4c361:{EXAMPLE}"
    return f"{escape(why)} Nothing was charged. What works: <code>/stems {reference}</code>"


def offer(song: Song, prices: Mapping[Mode, int]) -> str:
    costs = " ".join(f"{MODES[mode].capitalize()}: {_credits(price)}." for mode, price in prices.items())
    return f"<b>{_name(song)}</b>\n{costs}"


def _commands(prices: Mapping[Mode, int]) -> str:
    """How to ask for each mode, and what it costs."""
    words = {Mode.BASIC: "", Mode.FULL: " full"}
    return "\n".join(
        f"<code>/stems {EXAMPLE}{words[mode]}</code>\n{MODES[mode]}, {_credits(price)}"
        for mode, price in prices.items()
    )


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a job's stems, by name."""

    sent: Sequence[str] = ()
    linked: Sequence[str] = ()
    too_big: Sequence[str] = ()  # as links, because Telegram takes no files that large
    unsure: Sequence[str] = ()
    silent: Sequence[str] = ()
    missing: Sequence[str] = ()
    why_linked: str = FILES_REFUSED
    made_to_fit: bool = False


def status(
    view: JobView,
    upstream: str,
    *,
    balance: int,
    delivered: Delivered,
    now: float,
    held_up_s: float = 0.0,
    usual_s: float | None = None,
    is_lost: bool = False,
    again_price: int | None = None,
    is_kept: bool = False,
) -> str:
    """The status message of a job, in whatever state it is; ``usual_s`` is how long such work takes here,
    ``held_up_s`` how long a delivery waits before it goes on, ``is_lost`` that the same was made before and
    its files are gone, ``again_price`` what it costs to try again, ``is_kept`` that nothing has to be made
    for that."""
    head = f"<b>{_name(view.song)}</b>\n{MODES[Mode(view.separation.mode)].capitalize()}"
    match view.job.state:
        case J.WAITING:
            lost = f"{FILES_LOST}\n" if is_lost else ""
            return f"{head} · {_price(view.job)}\n\n{lost}{_waiting(view, escape(upstream), now, usual_s)}"
        case J.DELIVERING:
            return f"{head} · {_price(view.job)}\n\n{_on_their_way(view.job, delivered, held_up_s)}"
        case J.DELIVERED:
            paid = f"{_credits(view.job.price)} paid" if view.job.price else "No credits charged"
            return f"{head}\n\n{_delivered(delivered)}\n{paid} · balance {balance}"
        case J.FAILED:
            next_step = _next_step(view, again_price, is_kept=is_kept)
            return f"{head}\n\n{_failed(view)} · balance {balance}\n{next_step}"
        case J.CANCELLED:
            again = "" if again_price is None else f"\nTry again {_at(again_price)}."
            return f"{head}\n\nCancelled, nothing was charged · balance {balance}{again}"
        case J.LEAVING:
            return f"{head}\n\nYou withdrew. {LEAVING_TOAST}"
        case J.LEFT:
            paid = _credits(view.job.price)
            return f"{head}\n\nYou withdrew. It was made for the others: {paid} paid · balance {balance}"


def job_line(view: JobView) -> str:
    """One line of /jobs."""
    mode = "full" if view.separation.mode == Mode.FULL else "basic"
    return f"<b>{view.job.id}</b> {_name(view.song)} ({mode}): {STATES[view.job.state]}"


STATES: dict[JobState, str] = {
    J.WAITING: "being separated",
    J.LEAVING: "withdrawn, goes on for others",
    J.DELIVERING: "being sent",
    J.DELIVERED: "delivered",
    J.LEFT: "withdrawn, made for others",
    J.FAILED: "failed, not charged",
    J.CANCELLED: "cancelled, not charged",
}


def job_list(views: Sequence[JobView], page: int) -> str:
    if not views:
        return f"No jobs yet. Begin with <code>/stems {EXAMPLE}</code>" if page == 0 else "No more jobs."
    return "\n".join(["Your jobs, newest first. Tap one to open it.", "", *map(job_line, views)])


def statement(account: Statement, prices: Mapping[Mode, int], repeat_price: int, offset: int) -> str:
    held = f", {_credits(account.held)} set aside for {_jobs(account.held_for)}" if account.held else ""
    costs = [f"{MODES[mode].capitalize()}: {price}" for mode, price in prices.items()]
    costs.append(f"From the archive: {repeat_price or 'free'}")
    lines = [_entry(entry, account.notes.get(entry.job_id or 0, JobNote())) for entry in account.entries]
    entries = "\n".join(lines) or ("No entries yet." if offset == 0 else "No older entries.")
    return f"You have <b>{_credits(account.balance)}</b>{held}.\n{' · '.join(costs)}\n\n{entries}"


def links(song: Song, families: Mapping[str, Sequence[tuple[str, str]]], expires: str | None) -> str:
    """Links of stems, (name, address) by family, for where files can't go."""
    groups = [
        f"<b>{escape(family)}</b>\n"
        + "\n".join(f'<a href="{escape(url)}">{escape(label(name))}</a>' for name, url in stems)
        for family, stems in families.items()
    ]
    until = f"The links work until {expires}; save what you need." if expires else "Save what you need soon."
    return f"<b>{_name(song)}</b>: the stems as links\n\n" + "\n\n".join(groups) + f"\n\n{until}"


def made_to_fit(kbit_s: int | None) -> str:
    """What a caption says of files that were made smaller."""
    return "made smaller, MP3" if kbit_s is None else f"made smaller, MP3 at about {kbit_s} kbit/s"


def duration(seconds: float | None) -> str:
    return "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _name(song: Song) -> str:
    return (
        escape(song_name(song.title, song.audio_id))
        if song.title
        else f"<code>{escape(song.audio_id)}</code>"
    )


def _credits(n: int) -> str:
    return f"{n} credit" if n == 1 else f"{n} credits"


def _price(job: Job) -> str:
    if job.origin == "started" or job.price:
        return f"{_credits(job.price)}, set aside until you have the stems"
    if job.origin == "joined":
        return "no credits, it is already being made for someone"
    return "no credits, from the archive"


def _waiting(view: JobView, upstream: str, now: float, usual_s: float | None) -> str:
    job, separation = view.job, view.separation
    elapsed = duration(max(now - job.created_at, 0))
    usually = f"usually {USUAL[Mode(separation.mode)] if usual_s is None else f'about {duration(usual_s)}'}"
    match separation.state:
        case S.QUEUED if separation.failures:
            return f"{upstream} is not taking orders right now, I keep trying. {elapsed} so far."
        case S.QUEUED if now - job.created_at > ORDERED_WITHIN_S:
            return f"Waiting until {upstream} takes the order. {elapsed} so far."
        case S.QUEUED | S.SUBMITTING:
            return f"{_moved_on(separation)}Ordering at {upstream}… {usually}."
        case S.UNCERTAIN:
            left = duration(max(separation.deadline_at - now, 0))
            return (
                f"{upstream} did not confirm the order. I am checking whether it arrived and won't order a"
                f" second time. If it does not turn up within {left}, your credits come back."
            )
        case S.SUCCEEDED:
            return "The stems are ready, sending them next."
        case _:
            return f"Being separated at {upstream}: {elapsed} so far, {usually}."


def _moved_on(separation: Separation) -> str:
    """Why the upstream before did not do it."""
    *_, reason = ("", *separation.tried.values())
    return f"{escape(reason[:1].upper() + reason[1:])}. " if reason else ""


def _on_their_way(job: Job, delivered: Delivered, held_up_s: float) -> str:
    if not held_up_s:
        return "The stems are ready and on their way to this chat…"
    here, left = len(delivered.sent), len(delivered.missing)
    told = "The stems are ready; they follow"
    if here:
        told = (
            "The first half is here; the second follows"
            if here == left
            else f"{_names(delivered.sent)} are here; the rest follows"
        )
    minutes = max(round(held_up_s / 60), 1)
    when = "in about a minute" if minutes == 1 else f"in about {minutes} minutes"
    return f"{told} {when}{f': {escape(job.why)}' if job.why else ''}."


def _delivered(delivered: Delivered) -> str:
    lines = []
    if delivered.sent:
        smaller = ", made smaller so that Telegram takes them" if delivered.made_to_fit else ""
        lines.append(f"Delivered{smaller}: {_names(delivered.sent)}.")
    if delivered.silent:
        lines.append(f"Nothing to hear in this song: {_all_names(delivered.silent)}. Left out.")
    if delivered.linked:
        lines.append(f"As links, because {escape(delivered.why_linked)}: {_names(delivered.linked)}.")
    if delivered.too_big:
        offer = (
            "" if delivered.made_to_fit else " “Make it fit” turns them into smaller MP3 files, at no cost."
        )
        lines.append(
            f"As links, because they are too large for Telegram: {_names(delivered.too_big)}.{offer}"
        )
    if delivered.unsure:
        lines.append(
            f"Telegram did not confirm {_names(delivered.unsure)}. If you don't see them, press Send again."
        )
    if delivered.missing:
        lines.append(f"Could not be sent: {_names(delivered.missing)}.")
    return "\n".join(lines)


def _names(names: Sequence[str]) -> str:
    return f"{len(names)} stems" if len(names) > 4 else _all_names(names)


def _all_names(names: Sequence[str]) -> str:
    return ", ".join(escape(label(name)) for name in names)


def _failed(view: JobView) -> str:
    why = (view.job.why or view.separation.why or "it failed").rstrip(".")
    return f"No stems: {escape(why)}.\nNothing was charged"


def _next_step(view: JobView, again_price: int | None, *, is_kept: bool) -> str:
    if is_kept and again_price is not None:
        return (
            f"The stems are kept: “Try again” sends them to the chat where you press it, {_at(again_price)}."
        )
    full = " full" if view.separation.mode == Mode.FULL else ""
    again = f"<code>/stems {escape(view.song.audio_id)}{full}</code>"
    if again_price is None:
        return f"Check the id, or try again later: {again}"
    return f"Try again {_at(again_price)}, or check the id: {again}"


def _at(price: int) -> str:
    return f"for {_credits(price)}" if price else "at no cost"


def _jobs(job_ids: Sequence[int]) -> str:
    if len(job_ids) > JOBS_NAMED:
        return f"{len(job_ids)} jobs"
    *others, last = map(str, job_ids)
    return f"jobs {', '.join(others)} and {last}" if others else f"job {last}"


def _entry(entry: LedgerEntry, note: JobNote) -> str:
    kind = Entry(entry.kind)
    # A hold that was captured is what the job cost; a capture itself moves nothing.
    shown = Entry.CAPTURE if kind is Entry.HOLD and note.settled is Entry.CAPTURE else kind
    what = ENTRIES[shown].format(job=entry.job_id, note=escape(entry.note or ""))
    about = f" · {_shortened(note.title)}" if note.title else ""
    return f"{entry.amount:+d} {what}{about}".strip()


def _shortened(title: str) -> str:
    return escape(title if len(title) <= TITLE_SHOWN else f"{title[: TITLE_SHOWN - 1]}…")


ENTRIES: dict[Entry, str] = {
    Entry.GRANT: "{note}",
    Entry.PURCHASE: "bought",
    Entry.HOLD: "set aside for job {job}",
    Entry.CAPTURE: "paid for job {job}",
    Entry.RELEASE: "back from job {job}",
    Entry.REFUND: "refund of job {job}",
    Entry.TRANSFER: "from the group's other account",
}
