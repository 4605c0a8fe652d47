"""What is written down of a delivery: its parts before and after each send, and what Telegram keeps."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import Message

from bot.delivery import plan
from bot.services import Services
from bot.texts import FILES_REFUSED, NO_FILES_HERE, Delivered
from providers.stems import rank
from storage import archive, deliveries, moves, separations, songs
from storage.database import Connection
from storage.deliveries import PartKind, PartState, stem_ids
from storage.rows import Job, Part, Song, Stem, TelegramFile

STILL_TO_SEND = (PartState.PENDING, PartState.SENDING)  # SENDING: the process died in the middle of it

SILENT_DBFS = -60.0
SETTLED = (PartState.SENT, PartState.UNKNOWN, PartState.GONE, PartState.SILENT)


@dataclass(frozen=True, slots=True)
class Load:
    """All that a delivery is made of. ``stems`` are those the job is about, in the order of ``Stem``;
    ``kept`` is by stem id."""

    song: Song
    stems: dict[int, Stem]
    kept: dict[int, TelegramFile]
    parts: list[Part]
    leaves_silence_out: bool

    def without_silence(self, peaks: Mapping[int, float | None]) -> list[Stem]:
        """The stems in which there is something to hear, as far as ``peaks``, by stem id, tell; all of them,
        where there is nothing to hear in any."""
        heard = [stem for stem in self.stems.values() if not is_silent(peaks.get(stem.id, stem.peak_dbfs))]
        return heard if heard and self.leaves_silence_out else list(self.stems.values())

    def next_part(self) -> Part | None:
        return next((part for part in self.parts if part.state in STILL_TO_SEND), None)

    def stems_of(self, part: Part) -> list[Stem]:
        return [self.stems[stem_id] for stem_id in stem_ids(part)]

    def unsent(self) -> list[Stem]:
        """Stems that could only go as links now: neither in the chat, perhaps, nor gone, nor left out."""
        settled = {
            stem_id
            for part in self.parts
            if part.state in SETTLED or part.kind == PartKind.LINKS
            for stem_id in stem_ids(part)
        }
        return [stem for stem in self.without_silence({}) if stem.id not in settled and stem.url]


@asynccontextmanager
async def writing(services: Services, job: Job) -> AsyncIterator[Connection]:
    """A transaction for whoever delivers the job. Raises Stale where somebody else does by now: a process
    that was suspended must not go on where another has taken over."""
    async with services.database.transaction() as db:
        await moves.still_ours(db, job)
        yield db


async def load(db: Connection, job: Job, *, bot_id: int) -> Load:
    separation = await separations.get(db, job.separation_id)
    stems = await separations.stems_of(db, separation.id)
    return Load(
        song=await songs.get(db, separation.audio_id),
        stems={stem.id: stem for stem in in_order(selected(stems, job.selection))},
        kept=await archive.files_of(db, separation.id, bot_id=bot_id),
        parts=await deliveries.parts_of(db, job.id),
        # Who asks for one stem, or for the silent ones, gets them.
        leaves_silence_out=job.selection is None or job.selection.startswith("set:"),
    )


def is_silent(peak_dbfs: float | None) -> bool:
    return peak_dbfs is not None and peak_dbfs < SILENT_DBFS


def selected(stems: Iterable[Stem], selection: str | None) -> list[Stem]:
    """What a job is about: the first set, or what its ``selection`` names."""
    kind, _, number = (selection or "set:1").partition(":")
    match kind:
        case "stem":
            return [stem for stem in stems if stem.id == int(number)]
        case "silent":
            return [stem for stem in stems if stem.set_number == 1 and is_silent(stem.peak_dbfs)]
        case _:
            return [stem for stem in stems if stem.set_number == int(number)]


def in_order(stems: Iterable[Stem]) -> list[Stem]:
    """As they are sent: the first set whole, then the second."""
    return sorted(stems, key=_order)


def _order(stem: Stem) -> tuple[int, tuple[int, str]]:
    return stem.set_number, rank(stem.name)


def planned(stems: Sequence[Stem], sizes: dict[int, int] | None = None) -> list[tuple[PartKind, list[int]]]:
    """The parts for these stems; ``sizes`` in bytes by stem id, where known."""
    ids = {(stem.name, stem.set_number): stem.id for stem in stems}
    wanted = [
        plan.PlanStem(stem.name, stem.set_number, (sizes or {}).get(stem.id), _kind_in(stem.url))
        for stem in stems
    ]
    return [
        (_kind_of(part), [ids[stem.name, stem.set_number] for stem in part.stems])
        for part in plan.plan(wanted)
    ]


async def sent(
    db: Connection, services: Services, part: Part, messages: Sequence[Message], stems: Sequence[Stem]
) -> None:
    """A part is in the chat: keep its message ids and what Telegram calls its files."""
    now = services.now()
    ids = [message.message_id for message in messages]
    await deliveries.mark(db, part, PartState.SENT, now=now, message_ids=ids)
    for message, stem in zip(messages, stems, strict=False):
        if file := _file_in(message, stem, bot_id=services.bot.id, now=now):
            await archive.keep(db, file)


async def delivered(db: Connection, job: Job) -> Delivered:
    """By name, what became of a job's stems."""
    stems = {
        stem.id: stem for stem in selected(await separations.stems_of(db, job.separation_id), job.selection)
    }
    sent: list[str] = []
    linked: list[str] = []
    unsure: list[str] = []
    names = {"sent": sent, "linked": linked, "unsure": unsure}
    parts = await deliveries.parts_of(db, job.id)
    for part in parts:
        if fate := _fate(part):
            names[fate] += [stems[stem_id].name for stem_id in stem_ids(part)]
    told = {name for group in names.values() for name in group}
    silent = [stem.name for stem in stems.values() if is_silent(stem.peak_dbfs) and stem.name not in told]
    missing = [stem.name for stem in stems.values() if stem.name not in {*told, *silent}]
    no_files = any(part.why == NO_FILES_HERE for part in parts)
    why_linked = NO_FILES_HERE if no_files else FILES_REFUSED
    return Delivered(sent, linked, unsure, silent, missing, why_linked)


def _fate(part: Part) -> str | None:
    match part.state:
        case PartState.UNKNOWN:
            return "unsure"
        case PartState.SENT:
            return "linked" if part.kind == PartKind.LINKS else "sent"
        case _:
            return None


def _kind_of(part: plan.Part) -> PartKind:
    if part.means is plan.Means.LINK:
        return PartKind.LINKS
    return PartKind.ALBUM if len(part.stems) > 1 else PartKind.SINGLE


def _kind_in(url: str | None) -> str:
    """The kind that a link's file name promises; the download tells for sure."""
    ending = (url or "").split("?")[0].rsplit(".", 1)[-1].lower()
    return ending if ending in ("wav", "flac") else "mp3"


def _file_in(message: Message, stem: Stem, *, bot_id: int, now: float) -> TelegramFile | None:
    file = message.audio or message.document
    if file is None:
        return None
    kind = plan.Means.AUDIO if message.audio else plan.Means.DOCUMENT
    return TelegramFile(stem.id, bot_id, kind, file.file_id, file.file_unique_id, file.file_size, now)
