"""What goes into one send: a stem as Telegram's own file_id, or as a file on our disk, open for upload."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from math import inf
from pathlib import Path

from telegram import InputFile

from bot.delivery import audio, fitting, pictures, plan
from bot.delivery.fetch import Download, FetchError, Gone, Refused
from bot.delivery.records import Load
from bot.services import Services
from storage.archive import FITTED
from storage.rows import Song, Stem, TelegramFile

DOWNLOADS_AT_ONCE = 4
READY_AHEAD = 8  # stems on our disk, with those that are being sent
LOWEST_DBFS = -200.0  # digital silence has no number; a database column wants one
NO_ARTIST = "Suno"  # in the tags of a file, where players sort by it; a chat is told no performer


@dataclass(frozen=True, slots=True)
class Fetched:
    """A stem's file on our disk, with what was heard in it, None where it could not be told, and the JPEG
    that goes with it."""

    stem: Stem
    path: Path
    size_bytes: int
    kind: str
    duration_s: float | None
    peak_dbfs: float | None
    picture: bytes


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a send, with what a player shows of it. ``media`` is a file_id or an open upload; only an
    upload has a ``thumbnail``, Telegram passes over any other."""

    stem: Stem
    media: str | InputFile
    means: plan.Means
    title: str
    performer: str | None
    duration_s: int | None
    size_bytes: int = 0
    thumbnail: InputFile | None = None


Source = TelegramFile | Fetched
Found = Mapping[int, Source | FetchError]  # by stem id


class Files:
    """What a delivery has on our disk: each stem is downloaded once, however often its part is planned anew,
    and while one part is sent, the next stems come.

    ``aclose()`` removes whatever is left of it. ``refused_ids`` are stems that Telegram did not take here by
    what it keeps of them.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._slots = asyncio.Semaphore(DOWNLOADS_AT_ONCE)
        self.refused_ids: set[int] = set()
        self._fetching: dict[int, asyncio.Task[Fetched | FetchError]] = {}

    async def aclose(self) -> None:
        await self._leave_only(set())

    async def sources(self, load: Load, stems: Sequence[Stem]) -> dict[int, Source | FetchError]:
        """By stem id, where its bytes come from, or why there are none."""
        left = load.still_to_send()
        await self._leave_only(left)
        missing = [stem for stem in stems if stem.id not in load.kept]
        if missing:
            await self._services.covers.of(load.song.cover_url)  # once, before all stems ask for it
        for stem in missing:
            self._begin(load, stem)
        fetched = {stem.id: await self._fetching[stem.id] for stem in missing}
        for stem in self._next(load, left):
            self._begin(load, stem)
        return {stem.id: fetched.get(stem.id) or load.kept[stem.id] for stem in stems}

    def _next(self, load: Load, left: Set[int]) -> Iterable[Stem]:
        """Not all that is left: the disk is not for us alone."""
        waiting = [stem for stem in load.stems.values() if stem.id in left and stem.id not in load.kept]
        new = (stem for stem in waiting if stem.id not in self._fetching)
        return islice(new, max(0, READY_AHEAD - len(self._fetching)))

    def _begin(self, load: Load, stem: Stem) -> None:
        before = self._fetching.get(stem.id)
        # What failed ahead of its turn gets another try in it.
        if before is None or (before.done() and isinstance(before.result(), FetchError)):
            self._fetching[stem.id] = asyncio.create_task(self._fetch(load, stem))

    async def _fetch(self, load: Load, stem: Stem) -> Fetched | FetchError:
        async with self._slots:
            return await _fetched(self._services, load, stem)

    async def _leave_only(self, wanted: Set[int]) -> None:
        done = [self._fetching.pop(stem_id) for stem_id in self._fetching.keys() - wanted]
        for task in done:
            task.cancel()
        for found in await asyncio.gather(*done, return_exceptions=True):
            if isinstance(found, Fetched):
                found.path.unlink(missing_ok=True)


async def _fetched(services: Services, load: Load, stem: Stem) -> Fetched | FetchError:
    if stem.url is None:
        return Gone("its link works no longer")
    last: Path | None = None
    try:
        download = await services.fetcher.fetch(stem.url)
    except FetchError as error:
        return error
    try:
        fetched = await _prepared(services, load, stem, download)
        last = fetched.path
        return fetched
    except Refused as error:
        return error
    finally:
        _leave_only(last, download.path)


def _leave_only(last: Path | None, download: Path) -> None:
    """Of a download and what was made of it, named after it."""
    for path in download.parent.glob(f"{download.name}*"):
        if path != last:
            path.unlink(missing_ok=True)


async def _prepared(services: Services, load: Load, stem: Stem, download: Download) -> Fetched:
    """Listened to, made to fit if that is wanted, and tagged. Raises Refused if it cannot be made smaller."""
    fetched = await _listened_to(stem, download, await _picture(services, load.song, stem))
    if load.fits:
        async with services.encoding:
            fetched = await _fitted(fetched, load.max_bytes)
    return await _tagged(fetched, load)


async def _picture(services: Services, song: Song, stem: Stem) -> bytes:
    """The song's cover, or a drawn one that tells families of stems apart."""
    cover = await services.covers.of(song.cover_url)
    return await asyncio.to_thread(pictures.drawn, stem.name) if cover is None else cover


async def _listened_to(stem: Stem, download: Download, picture: bytes) -> Fetched:
    path, size_bytes = download.path, download.size_bytes
    try:
        heard = await audio.probe(path)
        peak = stem.peak_dbfs
        if peak is None:
            peak = max(await audio.peak_dbfs(path), LOWEST_DBFS)
    except audio.AudioError:
        # Telegram may still know it; what we cannot tell is left out.
        return Fetched(stem, path, size_bytes, "mp3", stem.duration_s, None, picture)
    return Fetched(stem, path, size_bytes, heard.kind, heard.duration_s, peak, picture)


async def _fitted(fetched: Fetched, max_bytes: int) -> Fetched:
    """The same sound as an MP3 that can be sent. Raises Refused."""
    bit_rate = fitting.bit_rate_for(fetched.duration_s or inf, max_bytes)
    if bit_rate is None:
        raise Refused("it is too long to be made small enough")
    path = fetched.path.with_name(f"{fetched.path.name}-fitted")
    try:
        await fitting.encode(fetched.path, path, bit_rate)
    except audio.AudioError as error:
        raise Refused(f"it cannot be made smaller: {error}") from error
    return replace(fetched, path=path, size_bytes=path.stat().st_size, kind="mp3")


async def _tagged(fetched: Fetched, load: Load) -> Fetched:
    """The same sound in a file that says what it is, wherever it ends up."""
    song, stem = load.song, fetched.stem
    name = plan.song_name(song.title, song.audio_id)
    title = plan.title_of(name, stem.name, stem.set_number)
    artist = plan.artist_name(song.artist) or NO_ARTIST
    tags = audio.Tags(title, artist, name, *load.places()[stem.id], fetched.picture)
    path = fetched.path.with_name(f"{fetched.path.name}-tagged")
    try:
        await audio.tag(fetched.path, path, tags)
    except (audio.AudioError, OSError):
        return fetched  # as it came, it is still good enough to send
    return replace(fetched, path=path, size_bytes=path.stat().st_size)


def item(song: Song, stem: Stem, source: Source, opened: ExitStack, *, in_album: bool) -> Item:
    """``opened`` keeps the file open until the send was awaited."""
    name, performer = plan.song_name(song.title, song.audio_id), plan.artist_name(song.artist)
    title = plan.title_of(name, stem.name, stem.set_number)
    if isinstance(source, TelegramFile):
        means = plan.Means.AUDIO if source.kind == FITTED else plan.Means(source.kind)
        return Item(stem, source.file_id, means, title, performer, None)
    # Streamed from the open file: read_file_handle=True would hold all of an album in memory. In an
    # album the upload must be attached, or the request goes out without its media.
    upload = InputFile(
        opened.enter_context(source.path.open("rb")),
        filename=plan.file_name_of(name, stem.name, stem.set_number, source.kind),
        attach=in_album,
        read_file_handle=False,
    )
    return Item(
        stem,
        upload,
        plan.means_of(plan.PlanStem(stem.name, kind=source.kind)),
        title,
        performer,
        None if source.duration_s is None else round(source.duration_s),
        source.size_bytes,
        InputFile(source.picture, filename="cover.jpg", attach=True),
    )
