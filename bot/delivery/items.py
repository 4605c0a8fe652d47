"""What goes into one send: a stem as Telegram's own file_id, or as a file on our disk, open for upload."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from telegram import InputFile

from bot.delivery import audio, plan
from bot.delivery.fetch import Download, Fetcher, FetchError, Gone
from storage.rows import Song, Stem, TelegramFile

DOWNLOADS_AT_ONCE = 4
ARTIST = "Suno"  # upstreams name no other
LOWEST_DBFS = -200.0  # digital silence has no number; a database column wants one


@dataclass(frozen=True, slots=True)
class Fetched:
    """A stem's file on our disk, with what was heard in it; None where it could not be told."""

    stem: Stem
    path: Path
    size_bytes: int
    kind: str
    duration_s: float | None
    peak_dbfs: float | None


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a send, with what a player shows of it. ``media`` is a file_id or an open upload."""

    stem: Stem
    media: str | InputFile
    means: plan.Means
    title: str
    duration_s: int | None
    size_bytes: int = 0


Source = TelegramFile | Fetched
# Where a stem stands in its song's set: from 1, of how many. Players sort by it.
Places = Mapping[int, tuple[int, int]]


@asynccontextmanager
async def sources(
    fetcher: Fetcher, song: Song, stems: Sequence[Stem], kept: Mapping[int, TelegramFile], places: Places
) -> AsyncIterator[dict[int, Source | FetchError]]:
    """By stem id, where its bytes come from, or why there are none; downloaded files go at the end."""
    limit = asyncio.Semaphore(DOWNLOADS_AT_ONCE)

    async def fetch(stem: Stem) -> Fetched | FetchError:
        async with limit:
            return await _fetched(fetcher, song, stem, places[stem.id])

    missing = [stem for stem in stems if stem.id not in kept]
    found: dict[int, Source | FetchError] = {stem.id: kept[stem.id] for stem in stems if stem.id in kept}
    tasks = [asyncio.create_task(fetch(stem)) for stem in missing]
    try:
        for stem, task in zip(missing, tasks, strict=True):
            found[stem.id] = await task
        yield found
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Fetched):
                result.path.unlink(missing_ok=True)


async def _fetched(fetcher: Fetcher, song: Song, stem: Stem, place: tuple[int, int]) -> Fetched | FetchError:
    if stem.url is None:
        return Gone("its link works no longer")
    try:
        download = await fetcher.fetch(stem.url)
    except FetchError as error:
        return error
    with ExitStack() as undo:
        undo.callback(download.path.unlink, missing_ok=True)
        fetched = await _listened_to(stem, download)
        tagged = await _tagged(fetched, song, place)
        if tagged is fetched:
            undo.pop_all()
    return tagged


async def _listened_to(stem: Stem, download: Download) -> Fetched:
    try:
        heard = await audio.probe(download.path)
        peak = stem.peak_dbfs
        if peak is None:
            peak = max(await audio.peak_dbfs(download.path), LOWEST_DBFS)
    except audio.AudioError:
        # Telegram may still know it; what we cannot tell is left out.
        return Fetched(stem, download.path, download.size_bytes, "mp3", stem.duration_s, None)
    return Fetched(stem, download.path, download.size_bytes, heard.kind, heard.duration_s, peak)


async def _tagged(fetched: Fetched, song: Song, place: tuple[int, int]) -> Fetched:
    """The same sound in a file that says what it is, wherever it ends up."""
    name = plan.song_name(song.title, song.audio_id)
    title = plan.title_of(name, fetched.stem.name, fetched.stem.set_number)
    path = fetched.path.with_name(f"{fetched.path.name}-tagged")
    try:
        await audio.tag(fetched.path, path, audio.Tags(title, ARTIST, name, *place))
    except (audio.AudioError, OSError):
        path.unlink(missing_ok=True)
        return fetched  # as it came, it is still good enough to send
    size_bytes = path.stat().st_size
    return Fetched(fetched.stem, path, size_bytes, fetched.kind, fetched.duration_s, fetched.peak_dbfs)


def item(song: Song, stem: Stem, source: Source, opened: ExitStack, *, in_album: bool) -> Item:
    """``opened`` keeps the file open until the send was awaited."""
    name = plan.song_name(song.title, song.audio_id)
    title = plan.title_of(name, stem.name, stem.set_number)
    if isinstance(source, TelegramFile):
        return Item(stem, source.file_id, plan.Means(source.kind), title, None)
    # Streamed from the open file: read_file_handle=True would hold all of an album in memory. In an
    # album the upload must be attached, or the request goes out without its media.
    upload = InputFile(
        opened.enter_context(source.path.open("rb")),
        filename=plan.file_name_of(name, stem.name, stem.set_number, source.kind),
        attach=in_album,
        read_file_handle=False,
    )
    means = plan.means_of(plan.PlanStem(stem.name, stem.set_number, source.size_bytes, source.kind))
    duration = None if source.duration_s is None else round(source.duration_s)
    return Item(stem, upload, means, title, duration, source.size_bytes)
