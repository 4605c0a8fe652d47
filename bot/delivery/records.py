"""What is written down of a delivery: its parts before and after each send, and what Telegram keeps."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from telegram import Message

from bot.delivery import fitting, plan
from bot.services import Services
from bot.texts import FILES_REFUSED, NO_FILES_HERE, Delivered
from providers.stems import rank
from storage import archive, deliveries, moves, separations, songs
from storage.archive import FITTED
from storage.database import Connection
from storage.deliveries import PartKind, PartState, stem_ids
from storage.rows import Job, Part, Song, Stem, TelegramFile
from storage.separations import SILENT_DBFS

STILL_TO_SEND = (PartState.PENDING, PartState.SENDING)  # SENDING: the process died in the middle of it

FIRST_SET = "set:1"
FIT = "fit:"  # begins a job's selection where its stems shall be made small enough to send
SETTLED = (PartState.SENT, PartState.UNKNOWN, PartState.GONE, PartState.SILENT)


@dataclass(frozen=True, slots=True)
class Load:
    """All that a delivery is made of. ``stems`` are those the job is about, in the order of ``Stem``;
    ``kept`` is by stem id. Where it ``fits``, each is made small enough for ``max_bytes``."""

    song: Song
    stems: dict[int, Stem]
    kept: dict[int, TelegramFile]
    parts: list[Part]
    leaves_silence_out: bool
    fits: bool
    max_bytes: int

    def too_big(self) -> list[Stem]:
        """Stems that are known to be too large to send."""
        found = [stem for stem in self.stems.values() if stem.id not in self.kept and not self.fits]
        return [stem for stem in found if plan.is_too_big(stem.size_bytes, self.max_bytes)]

    def without_file_ids(self, stem_ids: Set[int]) -> "Load":
        """These stems as if Telegram had never had them."""
        return replace(self, kept={one: file for one, file in self.kept.items() if one not in stem_ids})

    def have_links(self, stem_ids: Iterable[int], *, now: float) -> bool:
        """Whether each of them can still be fetched from its upstream, as far as is known."""
        return all(_has_link(self.stems[stem_id], now) for stem_id in stem_ids)

    def places(self) -> dict[int, tuple[int, int]]:
        """By id, where a stem stands among all of them: from 1, of how many. Players sort by it."""
        return {stem_id: (place, len(self.stems)) for place, stem_id in enumerate(self.stems, start=1)}

    def without_silence(self, peaks: Mapping[int, float | None]) -> list[Stem]:
        """The stems in which there is something to hear, as far as ``peaks``, by stem id, tell; all of them,
        where there is nothing to hear in any."""
        heard = [stem for stem in self.stems.values() if not is_silent(peaks.get(stem.id, stem.peak_dbfs))]
        return heard if heard and self.leaves_silence_out else list(self.stems.values())

    def still_to_send(self) -> set[int]:
        """The ids of the stems in all parts that are not done with."""
        open_parts = [part for part in self.parts if part.state in STILL_TO_SEND]
        return {stem_id for part in open_parts for stem_id in stem_ids(part)}

    def next_part(self) -> Part | None:
        return next((part for part in self.parts if part.state in STILL_TO_SEND), None)

    def stems_of(self, part: Part) -> list[Stem]:
        return [self.stems[stem_id] for stem_id in stem_ids(part)]

    def unsent(self, *, now: float) -> list[Stem]:
        """Stems that can only go as links now: neither in the chat, perhaps, nor gone, nor left out."""
        settled = {
            stem_id
            for part in self.parts
            if part.state in SETTLED or part.kind == PartKind.LINKS
            for stem_id in stem_ids(part)
        }
        return [stem for stem in self.without_silence({}) if stem.id not in settled and _has_link(stem, now)]


@asynccontextmanager
async def writing(services: Services, job: Job) -> AsyncIterator[Connection]:
    """A transaction for whoever delivers the job. Raises Stale where somebody else does by now: a process
    that was suspended must not go on where another has taken over."""
    async with services.database.transaction() as db:
        await moves.still_ours(db, job)
        yield db


async def load(db: Connection, job: Job, *, bot_id: int, max_bytes: int) -> Load:
    separation = await separations.get(db, job.separation_id)
    stems = selected(await separations.stems_of(db, separation.id), job.selection, max_bytes)
    files = await archive.files_of(db, separation.id, bot_id=bot_id)
    fits = (job.selection or "").startswith(FIT)
    return Load(
        song=await songs.get(db, separation.audio_id),
        stems={stem.id: stem for stem in in_order(stems)},
        kept=_kept(files, stems, fits=fits),
        parts=await deliveries.parts_of(db, job.id),
        # Who asks for one stem, or for the silent ones, gets them.
        leaves_silence_out=(job.selection or FIRST_SET).removeprefix(FIT).startswith("set:"),
        fits=fits,
        max_bytes=max_bytes,
    )


def _kept(files: Sequence[TelegramFile], stems: Sequence[Stem], *, fits: bool) -> dict[int, TelegramFile]:
    """What was made to fit is sent where that is asked for, and where nothing else is left of a stem."""
    whole = {file.stem_id: file for file in files if file.kind != FITTED}
    fitted = {file.stem_id: file for file in files if file.kind == FITTED}
    if fits:
        return fitted
    lost = {stem.id for stem in stems if stem.url is None}
    return {stem_id: file for stem_id, file in fitted.items() if stem_id in lost} | whole


def _has_link(stem: Stem, now: float) -> bool:
    return stem.url is not None and (stem.expires_at is None or stem.expires_at > now)


def is_silent(peak_dbfs: float | None) -> bool:
    return peak_dbfs is not None and peak_dbfs < SILENT_DBFS


def selected(stems: Iterable[Stem], selection: str | None, max_bytes: int) -> list[Stem]:
    """What a job is about: ``set:2``, ``stem:1:drums``, ``silent``; None is the first set. With ``fit:``
    before it, those of them that are too large to send."""
    kind, _, rest = (selection or FIRST_SET).partition(":")
    match kind:
        case "fit":
            whole = selected(stems, rest, max_bytes)
            return [stem for stem in whole if plan.is_too_big(stem.size_bytes, max_bytes)]
        case "stem":
            return [stem for stem in stems if one(stem) == f"{kind}:{rest}"]
        case "silent":
            return [stem for stem in stems if stem.set_number == 1 and is_silent(stem.peak_dbfs)]
        case _:
            return [stem for stem in stems if stem.set_number == int(rest)]


def one(stem: Stem) -> str:
    """The selection of one stem alone: by name, which it keeps when the song is separated anew."""
    return f"stem:{stem.set_number}:{stem.name}"


def to_fit(selection: str | None) -> str:
    """The selection of what is too large to send in another."""
    chosen = selection or FIRST_SET
    return chosen if chosen.startswith(FIT) else f"{FIT}{chosen}"


def in_order(stems: Iterable[Stem]) -> list[Stem]:
    """As they are sent: the first set whole, then the second."""
    return sorted(stems, key=_order)


def _order(stem: Stem) -> tuple[int, tuple[int, str]]:
    return stem.set_number, rank(stem.name)


def planned(
    load: Load,
    stems: Sequence[Stem],
    sizes: Mapping[int, int | None],
    kinds: Mapping[int, str] = MappingProxyType({}),
) -> list[tuple[PartKind, list[int]]]:
    """The parts for these stems; ``sizes`` in bytes and ``kinds`` of the files, by stem id, where known."""
    ids = {(stem.name, stem.set_number): stem.id for stem in stems}
    wanted = [
        plan.PlanStem(
            stem.name, stem.set_number, sizes.get(stem.id), kinds.get(stem.id) or _expected_kind(load, stem)
        )
        for stem in stems
    ]
    return [
        (_kind_of(part), [ids[stem.name, stem.set_number] for stem in part.stems])
        for part in plan.plan(wanted, load.max_bytes)
    ]


def _expected_bytes(load: Load, stem: Stem) -> int | None:
    if load.fits and stem.duration_s is not None:
        return fitting.size_for(stem.duration_s, load.max_bytes)
    return None if load.fits else stem.size_bytes


def _expected_kind(load: Load, stem: Stem) -> str:
    """What a stem's file will be, before it is there: the name in its link promises something."""
    if file := load.kept.get(stem.id):
        return "wav" if file.kind == plan.Means.DOCUMENT else "mp3"
    ending = (stem.url or "").split("?")[0].rsplit(".", 1)[-1].lower()
    return ending if ending in ("wav", "flac") and not load.fits else "mp3"


async def begin(db: Connection, job: Job, load: Load, *, now: float) -> None:
    """The first plan, from what is known before anything is downloaded."""
    too_big = load.too_big()
    wanted = [stem for stem in load.without_silence({}) if stem not in too_big]
    sizes = {stem.id: _expected_bytes(load, stem) for stem in wanted if stem.id not in load.kept}
    await deliveries.add(db, job, planned(load, wanted, sizes), now=now)
    refused = [(PartKind.SINGLE, [stem.id]) for stem in too_big]
    await deliveries.add(db, job, refused, now=now, state=PartState.REFUSED)


async def sent(
    db: Connection, services: Services, part: Part, messages: Sequence[Message], load: Load
) -> None:
    """A part is in the chat: keep its message ids and what Telegram calls its files."""
    now = services.now()
    ids = [message.message_id for message in messages]
    await deliveries.mark(db, part, PartState.SENT, now=now, message_ids=ids)
    if part.kind == PartKind.LINKS:
        return
    for message, stem in zip(messages, load.stems_of(part), strict=False):
        if file := _file_in(message, stem, bot_id=services.bot.id, now=now):
            known = load.kept.get(stem.id)
            is_fitted = load.fits or (known is not None and known.kind == FITTED)
            await archive.keep(db, replace(file, kind=FITTED) if is_fitted else file)


async def delivered(db: Connection, job: Job, *, max_bytes: int) -> Delivered:
    """By name, what became of a job's stems."""
    found = selected(await separations.stems_of(db, job.separation_id), job.selection, max_bytes)
    stems = {stem.id: stem for stem in found}
    fates: dict[str, list[str]] = {fate: [] for fate in ("sent", "linked", "too_big", "unsure")}
    parts = await deliveries.parts_of(db, job.id)
    no_files = any(part.why == NO_FILES_HERE for part in parts)
    for part in parts:
        for stem in (stems[stem_id] for stem_id in stem_ids(part) if stem_id in stems):
            if fate := _fate(part):
                is_too_big = plan.is_too_big(stem.size_bytes, max_bytes) and not no_files
                fates["too_big" if fate == "linked" and is_too_big else fate].append(stem.name)
    told = {name for names in fates.values() for name in names}
    silent = [stem.name for stem in stems.values() if is_silent(stem.peak_dbfs) and stem.name not in told]
    return Delivered(
        **fates,
        silent=silent,
        missing=[stem.name for stem in stems.values() if stem.name not in {*told, *silent}],
        why_linked=NO_FILES_HERE if no_files else FILES_REFUSED,
        made_to_fit=(job.selection or "").startswith(FIT),
    )


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


def _file_in(message: Message, stem: Stem, *, bot_id: int, now: float) -> TelegramFile | None:
    file = message.audio or message.document
    if file is None:
        return None
    kind = plan.Means.AUDIO if message.audio else plan.Means.DOCUMENT
    return TelegramFile(stem.id, bot_id, kind, file.file_id, file.file_unique_id, file.file_size, now)
