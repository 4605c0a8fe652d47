import os
import random
from fractions import Fraction
from io import BytesIO

import av
import pytest

from bot.delivery import pictures
from bot.delivery.pictures import PictureError
from providers.stems import FAMILIES, family

CODECS = {"jpeg": ("mjpeg", "yuvj420p"), "png": ("png", "rgb24"), "webp": ("libwebp", "yuv420p")}


def a_picture(kind="png", width=640, height=640, noisy=False):
    name, pixels = CODECS[kind]
    frame = av.VideoFrame(width, height, "rgb24")
    plane = frame.planes[0]
    plane.update(random.Random(1).randbytes(plane.buffer_size) if noisy else bytes(plane.buffer_size))
    encoder = av.CodecContext.create(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixels
    encoder.time_base = Fraction(1, 25)
    frame = frame.reformat(format=pixels)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def size_of(jpeg):
    assert jpeg.startswith(b"\xff\xd8\xff")
    with av.open(BytesIO(jpeg), format="jpeg_pipe") as source:
        frame = next(source.decode(video=0))
    return frame.width, frame.height


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize(
    ("width", "height", "made"),
    [(640, 640, (320, 320)), (1280, 720, (320, 180)), (90, 2000, (14, 320)), (64, 48, (64, 48))],
)
def test_a_cover_is_made_small_and_keeps_its_proportions(kind, width, height, made):
    assert size_of(pictures.small(a_picture(kind, width, height))) == made


def test_the_busiest_cover_stays_within_the_limit():
    assert len(pictures.small(a_picture(noisy=True))) <= pictures.MAX_BYTES


JUNK = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"<html>sign in</html>", id="a page"),
    pytest.param(b"\xff\xd8\xff\xe0" + b"x" * 500, id="begins like a JPEG"),
    pytest.param(b"\x89PNG\r\n\x1a\n" + b"x" * 500, id="begins like a PNG"),
    pytest.param(b"RIFF\x00\x00\x00\x00WEBP" + b"x" * 500, id="begins like a WebP"),
    pytest.param(a_picture()[:60], id="a PNG cut short"),
    pytest.param(a_picture(width=6000, height=6000), id="far too many pixels"),
]


@pytest.mark.parametrize("junk", JUNK)
def test_what_is_no_picture_or_too_large_a_one_is_refused(junk):
    with pytest.raises(PictureError):
        pictures.small(junk)


def test_a_picture_with_a_broken_end_is_shown_or_refused():
    whole = a_picture("jpeg", noisy=True)
    for cut in range(100, len(whole), len(whole) // 20):
        try:
            size_of(pictures.small(whole[:cut] + os.urandom(20)))
        except PictureError:
            continue


@pytest.mark.parametrize("stem", [members[0] for members in FAMILIES.values()])
def test_a_drawn_picture_is_square_small_and_always_the_same(stem):
    jpeg = pictures.drawn(stem)
    assert size_of(jpeg) == (pictures.SIDE, pictures.SIDE)
    assert len(jpeg) < 10_000
    pictures._drawn.cache_clear()
    pictures.drawn.cache_clear()
    assert pictures.drawn(stem) == jpeg


def test_every_family_has_a_picture_of_its_own():
    assert set(pictures.DRAWINGS) == set(FAMILIES)
    assert len({pictures.drawn(members[0]) for members in FAMILIES.values()}) == len(FAMILIES)
    assert len({drawing.colour for drawing in pictures.DRAWINGS.values()}) == len(FAMILIES)
    assert pictures.drawn("vocals") == pictures.drawn("backing_vocals")
    assert pictures.drawn("Kazoo") == pictures.drawn("fx"), family("Kazoo")
