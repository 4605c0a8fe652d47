"""Small pictures that go with the stems: a song's cover made small, or a drawn one, by family of stems.

Telegram shows a JPEG of at most 320 pixels and 200 kB: https://core.telegram.org/bots/api#sendaudio
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import hypot
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext

from providers.stems import family

SIDE = 320
DRAWN_SIDE = 160  # dot by dot in Python, then scaled up: a quarter of the time
MAX_BYTES = 60_000  # an album's ten pictures count into the size of its request
PIXELS = "yuvj420p"  # how a JPEG holds them
MOST_PIXELS = 25_000_000  # of a foreign picture: a few bytes can claim to be far more
QUALITIES = (3, 8, 16, 31)  # FFmpeg's, best first
# How a picture begins -> the name of its codec.
CODECS = {b"\xff\xd8\xff": "mjpeg", b"\x89PNG": "png", b"RIFF": "webp"}

Colour = tuple[int, int, int]
# Signed distance from the outline, inside below 0; the picture reaches from -1 to 1 both ways.
Outline = Callable[[float, float], float]


class PictureError(Exception):
    """It is not a picture that can be read."""


@dataclass(frozen=True, slots=True)
class Drawing:
    outline: Outline
    colour: Colour


DRAWINGS: Mapping[str, Drawing] = {
    "Voice": Drawing(lambda x, y: hypot(x, y) - 0.55, (222, 82, 88)),  # a disc
    "Backing": Drawing(lambda x, y: (abs(x) + abs(y) - 0.75) * 0.7, (66, 133, 190)),  # a square on its corner
    "Rhythm": Drawing(lambda x, y: abs(hypot(x, y) - 0.45) - 0.14, (232, 150, 46)),  # a ring
    "Band": Drawing(lambda x, y: max(abs(x), abs(y)) - 0.45, (86, 160, 92)),  # a square
    "Orchestra": Drawing(  # a triangle
        lambda x, y: max(abs(x) * 0.866 - y * 0.5 - 0.3, y - 0.45), (142, 96, 178)
    ),
    "Other": Drawing(  # a cross
        lambda x, y: max(min(abs(x), abs(y)) - 0.15, max(abs(x), abs(y)) - 0.55), (110, 118, 128)
    ),
}
GROUND: Colour = (246, 242, 234)


@cache
def drawn(stem_name: str) -> bytes:
    """The picture of a stem's family, as a JPEG; takes some milliseconds the first time."""
    return _drawn(family(stem_name))


def small(picture: bytes) -> bytes:
    """A foreign JPEG, PNG or WebP as a small JPEG of the same proportions. Raises PictureError."""
    codec = next((name for head, name in CODECS.items() if picture.startswith(head)), None)
    if codec is None:
        raise PictureError("neither JPEG nor PNG nor WebP")
    try:
        frame = _decoded(codec, picture)
        share = min(1.0, SIDE / max(frame.width, frame.height))
        width, height = (max(1, round(length * share)) for length in (frame.width, frame.height))
        return _jpeg(frame.reformat(width=width, height=height, format=PIXELS))
    except av.FFmpegError as error:
        raise PictureError(f"not to be read as a picture ({type(error).__name__})") from error


def _decoded(codec: str, picture: bytes) -> av.VideoFrame:
    decoder = cast(VideoCodecContext, av.CodecContext.create(codec, "r"))
    decoder.options = {"max_pixels": str(MOST_PIXELS)}
    frames = [*decoder.decode(av.Packet(picture)), *decoder.decode(None)]
    if not frames:
        raise PictureError("there is nothing in the picture")
    return frames[0]


def _jpeg(frame: av.VideoFrame) -> bytes:
    """As good as fits."""
    tries = (_encoded(frame, quality) for quality in QUALITIES)
    for picture in tries:
        if len(picture) <= MAX_BYTES:
            return picture
    raise PictureError("too much detail to be made small")


def _encoded(frame: av.VideoFrame, quality: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, PIXELS
    encoder.time_base = Fraction(1, 25)  # a codec for films wants one
    encoder.options = {"qmin": str(quality), "qmax": str(quality)}
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@cache
def _drawn(family_name: str) -> bytes:
    drawing = DRAWINGS[family_name]
    shades = [_mixed(drawing.colour, GROUND, step / 255) for step in range(256)]
    places = [(2 * at + 1) / DRAWN_SIDE - 1 for at in range(DRAWN_SIDE)]
    frame = av.VideoFrame(DRAWN_SIDE, DRAWN_SIDE, "rgb24")
    rows = (b"".join(shades[_shade(drawing.outline(x, y))] for x in places) for y in places)
    line_bytes = frame.planes[0].line_size  # at its end may be unused ones
    frame.planes[0].update(b"".join(row.ljust(line_bytes, b"\0") for row in rows))
    return _jpeg(frame.reformat(width=SIDE, height=SIDE, format=PIXELS, interpolation="BICUBIC"))


def _shade(distance: float) -> int:
    """0 inside, 255 outside, between them on the outline itself, so that it is not jagged."""
    return round(255 * min(max(0.5 + distance * DRAWN_SIDE / 2, 0.0), 1.0))


def _mixed(first: Colour, second: Colour, share: float) -> bytes:
    return bytes(round(one + (other - one) * share) for one, other in zip(first, second, strict=True))
