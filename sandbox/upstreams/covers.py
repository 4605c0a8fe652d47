"""The songs' pictures: soft colours made from a song's id, always the same."""

import hashlib
from fractions import Fraction
from functools import cache

import av

PATCHES, SIDE = 4, 512
ROUTE = "/covers/{audio_id}.jpeg"
JPEG = "image/jpeg"


def link(base_url: str, audio_id: str) -> str:
    return base_url + ROUTE.format(audio_id=audio_id)


@cache
def picture(audio_id: str) -> bytes:
    """A JPEG of 512 by 512 pixels."""
    colours = hashlib.shake_128(audio_id.encode()).digest(PATCHES * PATCHES * 3)
    frame = av.VideoFrame(PATCHES, PATCHES, "rgb24")
    line_bytes = frame.planes[0].line_size
    rows = [colours[start : start + PATCHES * 3] for start in range(0, len(colours), PATCHES * 3)]
    frame.planes[0].update(b"".join(row.ljust(line_bytes, b"\0") for row in rows))
    return _jpeg(frame.reformat(width=SIDE, height=SIDE, format="yuvj420p", interpolation="BILINEAR"))


def _jpeg(frame: av.VideoFrame) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
