import hashlib
import math
from array import array
from dataclasses import replace
from pathlib import Path

import av
import mutagen
import pytest
from mutagen.id3 import ID3, PictureType

from bot.delivery import audio, pictures
from bot.delivery.audio import AudioError, Tags

RATE = 44_100
CODECS = {  # kind: FFmpeg's container and codec
    "mp3": ("mp3", "libmp3lame"),
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "ogg": ("ogg", "flac"),
    "m4a": ("ipod", "aac"),
}
TAGS = Tags("Paper Boats (Vocals)", "Suno", "Paper Boats – Stems", 3, 12)


def sine(amplitude: float, seconds: float) -> array:
    step = 2 * math.pi * 441 / RATE
    return array("h", (round(32767 * amplitude * math.sin(step * at)) for at in range(int(RATE * seconds))))


def write(path: Path, kind: str = "mp3", amplitude: float = 0.5, seconds: float = 1.5) -> Path:
    container, codec = CODECS[kind]
    with av.open(str(path), "w", format=container) as target:
        stream = target.add_stream(codec, rate=RATE, layout="mono")
        encoder = stream.codec_context
        encoder.open()
        resampler = av.AudioResampler(encoder.format, "mono", RATE, encoder.frame_size or None)
        for frame in [
            *resampler.resample(one_frame(sine(amplitude, seconds))),
            *resampler.resample(None),
            None,
        ]:
            target.mux(stream.encode(frame))
    return path


def one_frame(samples: array) -> av.AudioFrame:
    frame = av.AudioFrame("s16", "mono", len(samples))
    frame.planes[0].update(samples.tobytes())
    frame.rate, frame.pts = RATE, 0
    return frame


def sound_of(path: Path) -> tuple[list[str], str]:
    """What is encoded, packet by packet, and what it decodes to."""
    with av.open(str(path)) as source:
        packets = [
            hashlib.sha256(bytes(packet)).hexdigest() for packet in source.demux(audio=0) if packet.size
        ]
    with av.open(str(path)) as source:
        decoded = b"".join(bytes(frame.planes[0]) for frame in source.decode(audio=0))
    return packets, hashlib.sha256(decoded).hexdigest()


@pytest.mark.parametrize("kind", CODECS)
async def test_a_probe_tells_kind_length_and_size(tmp_path, kind):
    path = write(tmp_path / "no_extension", kind)
    found = await audio.probe(path)
    assert found.kind == kind
    assert found.duration_s == pytest.approx(1.5, abs=0.06)
    assert found.size_bytes == path.stat().st_size


async def test_a_length_that_the_header_lacks_is_counted(tmp_path):
    whole = write(tmp_path / "whole.flac", "flac").read_bytes()
    streaminfo = bytearray(whole[8:42])
    streaminfo[13] &= 0xF0
    streaminfo[14:18] = bytes(4)  # the number of samples, unknown
    path = tmp_path / "streamed.flac"
    path.write_bytes(whole[:8] + streaminfo + whole[42:])
    assert (await audio.probe(path)).duration_s == pytest.approx(1.5, abs=0.11)


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("amplitude", [0.9, 0.05])
async def test_the_peak_is_that_of_the_loudest_sample(tmp_path, kind, amplitude):
    path = write(tmp_path / "stem", kind, amplitude)
    assert await audio.peak_dbfs(path) == pytest.approx(20 * math.log10(amplitude), abs=1)


@pytest.mark.parametrize("kind", ["mp3", "wav"])
async def test_silence_lies_far_below_every_stem(tmp_path, kind):
    assert await audio.peak_dbfs(write(tmp_path / "stem", kind, amplitude=0)) < -100


async def test_tags_are_read_back_and_the_sound_is_untouched(tmp_path):
    path = write(tmp_path / "in.mp3")
    await audio.tag(path, tmp_path / "out.mp3", TAGS)
    tags = ID3(tmp_path / "out.mp3", translate=False)
    assert tags.version == (2, 3, 0)
    texts = [str(tags[name]) for name in ("TIT2", "TPE1", "TALB", "TRCK")]
    assert texts == [TAGS.title, TAGS.artist, TAGS.album, "3/12"]
    assert sound_of(tmp_path / "out.mp3") == sound_of(path)


async def test_a_cover_is_the_front_cover_of_an_mp3_and_of_nothing_else(tmp_path):
    tags = replace(TAGS, cover=pictures.drawn("vocals"))
    path = write(tmp_path / "in.mp3")
    await audio.tag(path, tmp_path / "out.mp3", tags)
    (cover,) = ID3(tmp_path / "out.mp3").getall("APIC")
    assert (cover.mime, cover.type, cover.data) == ("image/jpeg", PictureType.COVER_FRONT, tags.cover)
    assert sound_of(tmp_path / "out.mp3") == sound_of(path)
    await audio.tag(write(tmp_path / "in.flac", "flac"), tmp_path / "out.flac", tags)
    assert mutagen.File(tmp_path / "out.flac").pictures == []


async def test_tagging_twice_replaces_the_tags_and_changes_nothing_else(tmp_path):
    first, second = tmp_path / "1.mp3", tmp_path / "2.mp3"
    await audio.tag(write(tmp_path / "0.mp3"), first, Tags("Old", "Old", "Old", 1, 2))
    await audio.tag(first, second, TAGS)
    assert str(ID3(second)["TIT2"]) == TAGS.title
    assert sound_of(second) == sound_of(tmp_path / "0.mp3")


@pytest.mark.parametrize("kind", CODECS)
async def test_every_kind_can_be_tagged_and_keeps_kind_and_sound(tmp_path, kind):
    path, tagged = write(tmp_path / "in", kind), tmp_path / "out"
    await audio.tag(path, tagged, TAGS)
    assert (await audio.probe(tagged)).kind == kind
    assert sound_of(tagged) == sound_of(path)
    with av.open(str(tagged)) as source:
        assert TAGS.title in (source.metadata | source.streams.audio[0].metadata).values()
    assert mutagen.File(tagged).info.length == pytest.approx(1.5, abs=0.1)


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nother.mp3\n#EXT-X-ENDLIST\n"
EMPTY_ID3 = b"ID3\x03\x00\x00\x00\x00\x00\x00"
NOT_AUDIO = {
    "nothing": b"",
    "text": b"hello" * 100,
    "a cut header": EMPTY_ID3,
    "a playlist": PLAYLIST,
    "a playlist that begins like an MP3": EMPTY_ID3 + PLAYLIST,
}


@pytest.mark.parametrize("content", NOT_AUDIO.values(), ids=NOT_AUDIO.keys())
async def test_what_is_not_audio_is_an_error_and_leaves_no_copy(tmp_path, content):
    write(tmp_path / "other.mp3")
    path, copy = tmp_path / "stem.m3u8", tmp_path / "copy"
    path.write_bytes(content)
    for attempt in (audio.probe(path), audio.peak_dbfs(path), audio.tag(path, copy, TAGS)):
        with pytest.raises(AudioError):
            await attempt
    assert not copy.exists()


async def test_a_missing_file_and_a_missing_folder_are_errors_too(tmp_path):
    with pytest.raises(AudioError):
        await audio.probe(tmp_path / "gone.mp3")
    with pytest.raises(AudioError):
        await audio.tag(write(tmp_path / "a.mp3"), tmp_path / "gone" / "b.mp3", TAGS)


async def test_foreign_tags_in_a_broken_encoding_do_no_harm(tmp_path):
    title = b"TIT2" + (4).to_bytes(4, "big") + b"\x00\x00" + b"\x03\xff\xfe\xc3"
    path = write(tmp_path / "a.mp3")
    plain = path.read_bytes()
    path.write_bytes(b"ID3\x04\x00\x00\x00\x00\x00" + bytes([len(title)]) + title + plain)
    assert (await audio.probe(path)).kind == "mp3"
