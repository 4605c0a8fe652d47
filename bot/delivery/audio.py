"""What is inside an audio file (kind, length, loudness), and writing names into it. FFmpeg does it, by PyAV.

Files are streamed, never held whole, and read in threads: decoding four minutes takes about half a second.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import ParamSpec, TypeVar

import av
from av.container import InputContainer, OutputContainer
from av.stream import Disposition

from bot.delivery import pictures

PEAK_SAMPLES = 1 << 15  # most of a second at a time
P = ParamSpec("P")
T = TypeVar("T")
# FFmpeg's name for what it reads -> ours, which is also the extension of the file's name.
KINDS = {
    "mp3": "mp3",
    "wav": "wav",
    "flac": "flac",
    "ogg": "ogg",
    "mov,mp4,m4a,3gp,3g2,mj2": "m4a",
}
# Without these, a "song" that turns out to be a playlist makes FFmpeg open the addresses it lists.
READ_OPTIONS = {"format_whitelist": ",".join(KINDS), "protocol_whitelist": "file"}
# Our kind -> FFmpeg's name for writing it, and how. ID3v2.3 is the version that every player reads.
WRITERS: dict[str, tuple[str, dict[str, str]]] = {
    "mp3": ("mp3", {"id3v2_version": "3"}),
    "wav": ("wav", {}),
    "flac": ("flac", {}),
    "ogg": ("ogg", {}),
    "m4a": ("ipod", {}),
}


class AudioError(Exception):
    """The file cannot be read as audio, or not be written; as it is, it may still be good enough to send."""


@dataclass(frozen=True, slots=True)
class Audio:
    duration_s: float
    kind: str  # a value of KINDS
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Tags:
    """What players show. ``track`` counts from 1; ``cover`` is a JPEG, which only an MP3 gets."""

    title: str
    artist: str
    album: str
    track: int
    tracks: int
    cover: bytes | None = None


async def probe(path: Path) -> Audio:
    """Kind and length of a file. Raises AudioError."""
    return await _in_thread(_probe, path)


async def peak_dbfs(path: Path) -> float:
    """The loudest sample, in dB below full scale; -inf for digital silence. Raises AudioError."""
    return await _in_thread(_peak_dbfs, path)


async def tag(path_in: Path, path_out: Path, tags: Tags) -> None:
    """Copy a file with new tags; its encoded audio stays as it is. Raises AudioError, then leaves no copy."""
    await _in_thread(_tag, path_in, path_out, tags)


async def _in_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Waits for the thread even when cancelled: it cannot be stopped, and may still write."""
    working = asyncio.create_task(asyncio.to_thread(work, *arguments, **named))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


def _probe(path: Path) -> Audio:
    with reading(path) as source:
        return Audio(_duration_s(source), KINDS[source.format.name], path.stat().st_size)


def _duration_s(source: InputContainer) -> float:
    if source.duration is not None:
        return source.duration / av.time_base
    # A header that was written before the length was known, as in a recording that was streamed.
    return sum(float((packet.duration or 0) * packet.time_base) for packet in source.demux(audio=0))


def _peak_dbfs(path: Path) -> float:
    """All of it inside of FFmpeg: whatever comes back for each frame has to wait for the busy event loop."""
    with reading(path) as source:  # which is what says that this kind of file may be read at all
        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add("amovie", filename=str(path), format_name=source.format.name.partition(",")[0]),
            graph.add("asetnsamples", n=str(PEAK_SAMPLES), p="0"),
            # https://ffmpeg.org/ffmpeg-filters.html#astats-1 leaves the peak so far in the metadata.
            graph.add("astats", "metadata=1:measure_perchannel=none:measure_overall=Peak_level"),
            graph.add("abuffersink"),
        ).configure()
        peak = float("-inf")
        with suppress(av.EOFError):
            while True:
                peak = float(graph.pull().metadata["lavfi.astats.Overall.Peak_level"])
    return peak


def _tag(path_in: Path, path_out: Path, tags: Tags) -> None:
    with ExitStack() as undo, reading(path_in) as source:
        undo.callback(path_out.unlink, missing_ok=True)
        writer, options = WRITERS[KINDS[source.format.name]]
        with av.open(str(path_out), "w", format=writer, options=options) as target:
            stream = target.add_stream_from_template(source.streams.audio[0])
            target.metadata.update(_metadata(tags))
            if tags.cover and writer == "mp3":
                _add_cover(target, tags.cover)
            for packet in source.demux(audio=0):
                if packet.size:  # the last one only says that there are no more
                    packet.stream = stream
                    target.mux(packet)
        undo.pop_all()


def _add_cover(target: OutputContainer, cover: bytes) -> None:
    """https://ffmpeg.org/ffmpeg-formats.html#mp3: a stream of one picture becomes the tag's."""
    stream = target.add_stream("mjpeg")
    stream.width, stream.height, stream.pix_fmt = pictures.SIDE, pictures.SIDE, pictures.PIXELS
    stream.disposition = Disposition.attached_pic
    stream.metadata["comment"] = "Cover (front)"
    packet = av.Packet(cover)
    packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 90_000)
    target.mux(packet)


def _metadata(tags: Tags) -> dict[str, str]:
    return {
        "title": tags.title,
        "artist": tags.artist,
        "album": tags.album,
        "track": f"{tags.track}/{tags.tracks}",
    }


@contextmanager
def reading(path: Path) -> Iterator[InputContainer]:
    """A file of ours that holds sound. FFmpeg's own errors in the block become AudioError."""
    try:
        with av.open(str(path), "r", options=READ_OPTIONS, metadata_errors="replace") as source:
            if not source.streams.audio:
                raise AudioError("there is no sound in the file")
            yield source
    except av.FFmpegError as error:
        raise AudioError(f"not to be read as audio ({type(error).__name__})") from error
