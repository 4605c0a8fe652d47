"""Every button and its callback data: ``1:<verb>:<arguments>``, at most 64 bytes, ids only.

Nothing is kept in memory for a button, so it works after a restart. The 1 is the version of this grammar.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot import songs, texts
from bot.delivery.plan import song_name, stem_label
from providers.base import Mode, Song, SongRef
from storage.jobs import JobView
from storage.rows import Job, Stem
from storage.states import JobState

VERSION = "1"
LABEL_MAX = 30
ID_MAX = 2**53
ANYBODY = 0  # the owner of a button that an anonymous admin asked for: the chat's admins may press it
J = JobState


class Verb(StrEnum):
    CANCEL = "c"
    TRY_AGAIN = "r"
    SEND_AGAIN = "s"
    FULL_SET = "f"
    TWO_STEMS = "t"
    SECOND_SET = "2"
    SILENT_STEMS = "q"
    MAKE_FIT = "m"
    PICK_STEM = "k"
    ONE_STEM = "1"
    FOLD = "z"
    TO_PRIVATE = "p"
    JOBS = "j"
    OPEN = "o"
    CREDITS = "e"
    ASK_BASIC = "b"
    ASK_FULL = "a"


ASK = {Mode.BASIC: Verb.ASK_BASIC, Mode.FULL: Verb.ASK_FULL}
MODE_OF = {verb: mode for mode, verb in ASK.items()}


class BadPress(Exception):
    """The data is not what a button of ours carries."""


@dataclass(frozen=True, slots=True)
class Press:
    """A button's data taken apart."""

    verb: Verb
    arguments: tuple[str, ...]

    def number(self, position: int) -> int:
        """An argument as a number; raises BadPress."""
        try:
            number = int(self.arguments[position], 36)
        except (ValueError, IndexError) as error:
            raise BadPress(f"no number at {position}") from error
        if abs(number) > ID_MAX:
            raise BadPress("no id is that large")
        return number

    def song(self, position: int) -> SongRef:
        """An argument as a song; raises BadPress."""
        try:
            return songs.unpack(self.arguments[position])
        except (ValueError, IndexError) as error:
            raise BadPress(f"no song at {position}") from error


def parse(data: str) -> Press | None:
    """None for what no button of ours, or one of an older version, carries."""
    version, _, rest = data.partition(":")
    verb, *arguments = rest.split(":")
    if version != VERSION or verb not in set(Verb):
        return None
    return Press(Verb(verb), tuple(arguments))


@dataclass(frozen=True, slots=True)
class Offers:
    """What else can be had of a delivered job."""

    other_mode: Mode | None = None
    second_set: bool = False  # the upstream brought every stem twice
    silent_stems: bool = False  # some were left out
    make_fit: bool = False  # some are too large to send as they are
    one_stem: bool = False


NOTHING_ELSE = Offers()


def status(view: JobView, offers: Offers = NOTHING_ELSE) -> InlineKeyboardMarkup | None:
    """Under a job's status message."""
    match view.job.state:
        case J.WAITING:
            return _rows([_job_button("Cancel", Verb.CANCEL, view.job)])
        case J.DELIVERED:
            return _rows(*_delivered(view.job, offers))
        case J.FAILED | J.CANCELLED:
            return _rows([_job_button("Try again", Verb.TRY_AGAIN, view.job)])
        case _:
            return None


def _delivered(job: Job, offers: Offers) -> list[list[InlineKeyboardButton]]:
    table = (
        ("Full set", Verb.FULL_SET, offers.other_mode is Mode.FULL),
        ("Send again", Verb.SEND_AGAIN, True),
        ("Two stems", Verb.TWO_STEMS, offers.other_mode is Mode.BASIC),
        ("Second set", Verb.SECOND_SET, offers.second_set),
        ("Silent stems", Verb.SILENT_STEMS, offers.silent_stems),
        ("Make it fit", Verb.MAKE_FIT, offers.make_fit),
        ("One stem", Verb.PICK_STEM, offers.one_stem),
        ("To my chat", Verb.TO_PRIVATE, job.chat_id < 0),
    )
    buttons = [_job_button(text, verb, job) for text, verb, is_on in table if is_on]
    return [buttons[start : start + 2] for start in range(0, len(buttons), 2)]


def stems_of(job: Job, stems: Sequence[Stem]) -> InlineKeyboardMarkup:
    """One button a stem, two in a row, to pick one."""
    picks = [
        _button(stem_label(stem.name, stem.set_number), Verb.ONE_STEM, _number(job.id), _number(stem.id))
        for stem in stems
    ]
    rows = [picks[start : start + 2] for start in range(0, len(picks), 2)]
    return _rows(*rows, [_job_button("‹ Back", Verb.FOLD, job)])


def offer(song: SongRef, owner_id: int | None, prices: Mapping[Mode, int]) -> InlineKeyboardMarkup:
    """Both modes of a song, each with its price."""
    return _rows(
        *(
            [_ask_button(f"{texts.MODES[mode].capitalize()} · {price}", mode, owner_id, song)]
            for mode, price in prices.items()
        )
    )


def pick(found: Sequence[Song], mode: Mode, owner_id: int | None) -> InlineKeyboardMarkup:
    """The songs of a task, a button each."""
    return _rows(
        *(
            [_ask_button(_song_label(song), mode, owner_id, SongRef(song.audio_id, song.task_id))]
            for song in found
        )
    )


def _song_label(song: Song) -> str:
    return " · ".join(filter(None, (song.title or song.audio_id[:8], texts.duration(song.duration_s))))


def _ask_button(text: str, mode: Mode, owner_id: int | None, song: SongRef) -> InlineKeyboardButton:
    return _button(text, ASK[mode], _number(owner_id or ANYBODY), songs.pack(song))


def job_list(
    views: Sequence[JobView], owner_id: int, page: int, has_more: bool
) -> InlineKeyboardMarkup | None:
    owner = _number(owner_id)
    rows = [
        [_button(_job_label(view), Verb.OPEN, owner, _number(view.job.id), _number(page))] for view in views
    ]
    turn = []
    if page:
        turn.append(_button("‹ Newer", Verb.JOBS, owner, _number(page - 1)))
    if has_more:
        turn.append(_button("Older ›", Verb.JOBS, owner, _number(page + 1)))
    return _rows(*rows, turn) if rows or turn else None


def _job_label(view: JobView) -> str:
    name = song_name(view.song.title, view.song.audio_id)
    return f"{view.job.id} · {name[:LABEL_MAX]}{'…' if len(name) > LABEL_MAX else ''}"


def opened_job(own: InlineKeyboardMarkup | None, owner_id: int, page: int) -> InlineKeyboardMarkup:
    """``own`` are the buttons of the job's status message."""
    back = _button("‹ Jobs", Verb.JOBS, _number(owner_id), _number(page))
    return InlineKeyboardMarkup([*(own.inline_keyboard if own else ()), [back]])


def with_way_back(
    own: InlineKeyboardMarkup | None, shown: InlineKeyboardMarkup | None
) -> InlineKeyboardMarkup | None:
    """Other buttons for a job that was opened from a list, as ``shown``: they keep the way back to it."""
    rows = shown.inline_keyboard if shown else ()
    back = [row for row in rows if _verb_of(row[0]) == Verb.JOBS]
    wanted = [*(own.inline_keyboard if own else ()), *back]
    return InlineKeyboardMarkup(wanted) if wanted else None


def _verb_of(button: InlineKeyboardButton) -> Verb | None:
    parsed = parse(str(button.callback_data or ""))
    return parsed.verb if parsed else None


def credits_pages(owner_id: int, page: int, has_more: bool) -> InlineKeyboardMarkup | None:
    owner, turn = _number(owner_id), []
    if page:
        turn.append(_button("‹ Newer", Verb.CREDITS, owner, _number(page - 1)))
    if has_more:
        turn.append(_button("Older ›", Verb.CREDITS, owner, _number(page + 1)))
    return _rows(turn) if turn else None


def _rows(*rows: list[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([row for row in rows if row])


def _job_button(text: str, verb: Verb, job: Job) -> InlineKeyboardButton:
    return _button(text, verb, _number(job.id))


def _button(text: str, verb: Verb, *arguments: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(text, callback_data=":".join((VERSION, verb, *arguments)))


def _number(n: int) -> str:
    """Base 36, so that a user id, two numbers and a song fit into 64 bytes."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text, rest = "", abs(n)
    while rest or not text:
        rest, digit = divmod(rest, 36)
        text = digits[digit] + text
    return f"-{text}" if n < 0 else text
