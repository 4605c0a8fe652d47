"""Making a stem that is too large for Telegram small enough: an MP3 at the best bit rate that fits.

It streams from file to file in a thread, frame by frame, and looks at every frame whether it shall go on.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer

from bot.delivery.audio import AudioError, reading

# https://en.wikipedia.org/wiki/MP3#Bit_rate: those of MPEG-1 layer III, in kbit/s
BIT_RATES = (320, 256, 224, 192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32)
SAMPLE_RATES = (44_100, 48_000, 32_000)
FILLED = 0.97  # of the room; the rest is for tags and what surrounds the sound
WITHIN_S = 240.0  # twelve stems, one after the other, stay within the hour that a delivery has


def bit_rate_for(duration_s: float, max_bytes: int) -> int | None:
    """The best bit rate in kbit/s at which so much sound fits; None where even the lowest is too much."""
    room_kbit_s = FILLED * max_bytes * 8 / 1000 / max(duration_s, 1e-3)
    return next((rate for rate in BIT_RATES if rate <= room_kbit_s), None)


def size_for(duration_s: float, max_bytes: int) -> int:
    """About how many bytes so much sound will have; always few enough to be sent alone."""
    bit_rate = bit_rate_for(duration_s, max_bytes) or 0
    return min(int(bit_rate * 1000 * duration_s / 8 / FILLED), max_bytes - 1)


async def encode(path_in: Path, path_out: Path, bit_rate: int, *, within_s: float = WITHIN_S) -> None:
    """Write the sound of a file as an MP3 of ``bit_rate`` kbit/s. Raises AudioError, then leaves no file."""
    stop = threading.Event()
    deadline = time.monotonic() + within_s
    try:
        await asyncio.to_thread(_encode, path_in, path_out, bit_rate, stop, deadline)
    finally:
        stop.set()  # the thread of a delivery that was cut off ends with its next frame


def _encode(path_in: Path, path_out: Path, bit_rate: int, stop: threading.Event, deadline: float) -> None:
    with ExitStack() as undo, reading(path_in) as source:
        undo.callback(path_out.unlink, missing_ok=True)
        with av.open(str(path_out), "w", format="mp3") as target:
            stream = _stream_like(source.streams.audio[0], target, bit_rate)
            for frame in _frames(source.decode(audio=0), stream):
                if stop.is_set() or time.monotonic() > deadline:
                    raise AudioError("making it smaller took too long")
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))
        undo.pop_all()


def _stream_like(source: AudioStream, target: OutputContainer, bit_rate: int) -> AudioStream:
    rate = source.rate if source.rate in SAMPLE_RATES else SAMPLE_RATES[0]
    layout = "mono" if source.channels == 1 else "stereo"
    stream = target.add_stream("libmp3lame", rate=rate, layout=layout)
    stream.bit_rate = bit_rate * 1000
    return stream


def _frames(decoded: Iterator[AudioFrame], stream: AudioStream) -> Iterator[AudioFrame]:
    """In the encoder's own form."""
    resampler = av.AudioResampler("s16p", stream.layout, stream.rate)
    for frame in decoded:
        yield from resampler.resample(frame)
    yield from resampler.resample(None)
