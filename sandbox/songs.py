"""The songs every stand-in knows: two generation tasks of ordinary ones, and a third task of odd ones.

An odd song makes the upstream that separates it behave in one odd way, so that a person with a chat, or a
test outside the process, can ask for any of them by id. Where an oddity means nothing to an upstream (it has
no callbacks, say) the song is an ordinary one there.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sandbox import song


class Refusal(StrEnum):
    """Why an upstream refuses a request; each spells it in its own codes and words."""

    BAD_KEY = "bad_key"
    BAD_BODY = "bad_body"
    INVALID = "invalid"
    UNKNOWN_SONG = "unknown_song"
    UNKNOWN_TASK = "unknown_task"
    NO_SOURCE = "no_source"
    NO_CREDITS = "no_credits"
    TOO_FAST = "too_fast"
    MAINTENANCE = "maintenance"
    SERVER_ERROR = "server_error"
    UNDOCUMENTED = "undocumented"


@dataclass(frozen=True, slots=True)
class Quirks:
    """How an upstream's behaviour differs for a song; the default is not at all."""

    refusal: Refusal | None = None  # a submit is refused
    submit_fault: str = ""  # accepted and charged, the answer spoilt: a name of ``faults.FAULTS``
    first_looks: tuple[Refusal, ...] = ()  # the first looks are refused
    running_word: str = ""  # status word while it runs
    done_word: str = ""  # status word at the end
    error: str = ""  # error message at the end
    links: bool = True  # whether the end brings links
    never: bool = False  # stays pending unless finished by its task id
    absent: tuple[str, ...] = ()  # stems that are not there
    absent_as: Literal["null", "empty", "no_key"] = "null"
    extra: tuple[str, ...] = ()  # instruments nobody documented
    spaced: bool = False  # links hold a space
    host: str = "s"  # how the stem host behaves: a name of ``files.HOSTS``
    sets: int = 1  # how many times each stem comes (sunoapi_com)
    failed_clips: tuple[str, ...] = ()  # stems whose clip fails, the rest succeed (sunoapi_com, suno_api)
    empty_looks: int = 0  # looks that lack a clip (suno_api), or are HTTP 202 without any (sunoapi_com)
    stale_looks: int = 0  # looks that say "complete" with a useless link (suno_api)
    code_as_text: bool = False
    times: Literal["ms", "text", "null"] = "ms"
    callbacks: Literal["none", "once", "twice", "forged", "early", "late", "astray"] = "once"


@dataclass(frozen=True, slots=True)
class Song:
    audio_id: str
    task_id: str
    title: str
    duration_s: float = song.DURATION_S
    tags: str = "indie folk, warm"
    quirks: Quirks = Quirks()


@dataclass(frozen=True, slots=True)
class OddSong(Song):
    description: str = ""  # what happens to whoever asks for it, in one line


TASK = "7c1f0e9ab2d34c56a8f0917be2d4c361"
MORE_TASK = "a41b6c02f7e84d1d9b35c8e07f2a6d19"
ODD_TASK = "0ddba11c0ffee0ddba11c0ffee0ddba1"

# Quotes, brackets, an ampersand, slashes, emoji and far more letters than Telegram or a file name takes.
AWKWARD_TITLE = 'Ünder "Glass" <b>&amp; Stone</b> / 100% \\ it\'s 🎸🌊 _so_ *long* ' + "and it goes on " * 20

SONGS: tuple[Song, ...] = (
    Song("5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034", TASK, "Paper Boats"),
    Song("c83e17b4-52af-4d06-b9e8-07a1f4d2c596", TASK, "Paper Boats (Night)"),
    Song("1d6a94f3-0c7b-4e28-8f55-b3e20a7c9d41", MORE_TASK, "Lanterns on the Pier", tags="dream pop"),
    Song("9be2571c-f3d8-4a60-a7c4-58d10e6b32fa", MORE_TASK, "Salt & Cedar", tags="acoustic"),
    Song("e07d3c58-2b9f-4716-93ea-6fc4810d5b27", MORE_TASK, "Slow Train to Ostend", tags="blues, harmonica"),
    Song("34fa8b06-d1e5-4c92-8b37-a95e7c20f6d8", MORE_TASK, "Copper Moon", tags="synthwave"),
    Song("b6c90e2d-7a48-4f13-9d06-1e83f5a7c4b2", MORE_TASK, "Harbour Lights, 5 a.m.", tags="jazz, brushes"),
    Song("72d5e1fa-96c3-4b8a-a0f7-d40b38e9c615", MORE_TASK, AWKWARD_TITLE.strip(), tags="noise"),
)


def _odd(number: int, name: str, description: str, quirks: Quirks) -> tuple[str, OddSong]:
    audio_id = f"0dd50000-0000-4000-8000-{number:012d}"
    title = name.replace("_", " ").capitalize()
    return name, OddSong(audio_id, ODD_TASK, title, quirks=quirks, description=description)


# Numbers are part of an id that people note down: append, never renumber.
ODD: dict[str, OddSong] = dict(
    (
        _odd(1, "callback_exception", "ends as CALLBACK_EXCEPTION, yet every stem is there",
             Quirks(done_word="CALLBACK_EXCEPTION", callbacks="none")),
        _odd(2, "success_without_links", "ends as SUCCESS without one link",
             Quirks(links=False)),
        _odd(3, "generation_failed", "ends as GENERATE_AUDIO_FAILED",
             Quirks(links=False, done_word="GENERATE_AUDIO_FAILED", error="Internal Error")),
        _odd(4, "create_failed", "ends as CREATE_TASK_FAILED",
             Quirks(links=False, done_word="CREATE_TASK_FAILED", error="Failed to create the task")),
        _odd(5, "unknown_status", "runs under a status word nobody documented, then succeeds",
             Quirks(running_word="WARMING_UP")),
        _odd(6, "late_record", "the first two looks do not find the task",
             Quirks(first_looks=(Refusal.UNKNOWN_TASK, Refusal.UNKNOWN_TASK))),
        _odd(7, "null_stems", "strings, brass and woodwinds are null",
             Quirks(absent=("strings", "brass", "woodwinds"))),
        _odd(8, "empty_stems", "strings, brass and woodwinds are empty texts",
             Quirks(absent=("strings", "brass", "woodwinds"), absent_as="empty")),
        _odd(9, "missing_stems", "strings, brass and woodwinds have no key at all",
             Quirks(absent=("strings", "brass", "woodwinds"), absent_as="no_key")),
        _odd(10, "kazoo", "brings an instrument nobody documented",
             Quirks(extra=("kazoo",))),
        _odd(11, "spaces", "its links hold a space",
             Quirks(spaced=True)),
        _odd(12, "two_sets", "every stem comes twice, 24 clips in full (sunoapi_com)",
             Quirks(sets=2)),
        _odd(13, "one_clip_failed", "one clip fails, the others succeed (sunoapi_com, suno_api)",
             Quirks(failed_clips=("instrumental", "drums"))),
        _odd(14, "useless_links", "is complete with None.mp3 and stream links first (suno_api)",
             Quirks(stale_looks=2)),
        _odd(15, "host_forbids", "the stem host answers 403",
             Quirks(host="forbidden")),
        _odd(16, "host_html", "the stem host answers with a web page",
             Quirks(host="html")),
        _odd(17, "host_cuts", "the stem host cuts every download in the middle",
             Quirks(host="cut")),
        _odd(18, "host_slow", "the stem host sends a few bytes a second",
             Quirks(host="slow")),
        _odd(19, "host_endless", "the stem host sends without end and names no length",
             Quirks(host="endless")),
        _odd(20, "never", "never finishes",
             Quirks(never=True)),
        _odd(21, "no_credits", "the upstream has no credits left for it",
             Quirks(refusal=Refusal.NO_CREDITS)),
        _odd(22, "maintenance", "the upstream is under maintenance",
             Quirks(refusal=Refusal.MAINTENANCE)),
        _odd(23, "submit_error", "the submit ends in a server error, nothing is charged",
             Quirks(refusal=Refusal.SERVER_ERROR)),
        _odd(24, "answer_lost", "the submit is charged, then the connection is cut",
             Quirks(submit_fault="reset_after")),
        _odd(25, "unknown_code", "the submit is answered with a code nobody documented",
             Quirks(refusal=Refusal.UNDOCUMENTED)),
        _odd(26, "code_as_text", "every code is a text",
             Quirks(code_as_text=True)),
        _odd(27, "times_as_text", "times are texts",
             Quirks(times="text")),
        _odd(28, "times_as_null", "times are null",
             Quirks(times="null")),
        _odd(29, "callback_twice", "the callback comes twice",
             Quirks(callbacks="twice")),
        _odd(30, "callback_forged", "a forged callback with foreign links comes while it still runs",
             Quirks(callbacks="forged")),
        _odd(31, "no_task_id", "the submit is charged, its answer names no task",
             Quirks(submit_fault="no_task_id")),
        _odd(32, "task_in_list", "the submit's answer holds a list of one",
             Quirks(submit_fault="data_list")),
        _odd(33, "answer_garbled", "the submit is charged, its answer is broken JSON",
             Quirks(submit_fault="not_json")),
        _odd(34, "looks_fail", "the first looks end in server errors, then maintenance, then all is well",
             Quirks(first_looks=(Refusal.SERVER_ERROR, Refusal.SERVER_ERROR, Refusal.MAINTENANCE))),
        _odd(35, "too_fast", "the upstream always finds that it is asked too often",
             Quirks(refusal=Refusal.TOO_FAST)),
        _odd(36, "no_source", "the upstream cannot fetch the song's audio",
             Quirks(refusal=Refusal.NO_SOURCE)),
        _odd(37, "error_with_link", "fails, and its error message quotes a link with a secret in it",
             Quirks(links=False, done_word="GENERATE_AUDIO_FAILED",
                    error="Failed to fetch https://api.telegram.org/file/bot1234567:SECRET/music/file_1.mp3")),
        _odd(38, "key_revoked", "the upstream says that the key is wrong",
             Quirks(refusal=Refusal.BAD_KEY)),
        _odd(39, "data_null", "the submit is charged, the data of its answer is null",
             Quirks(submit_fault="data_null")),
        _odd(40, "data_absent", "the submit is charged, its answer has no data",
             Quirks(submit_fault="data_absent")),
        _odd(41, "clips_late", "the first looks lack clips (suno_api), or answer HTTP 202 (sunoapi_com)",
             Quirks(empty_looks=2)),
        _odd(42, "callback_early", "is done at once: the callback comes before the answer to the submit",
             Quirks(callbacks="early")),
        _odd(43, "callback_late", "the callback comes after a look has shown the end",
             Quirks(callbacks="late")),
        _odd(44, "callback_astray", "the callback goes to an address with another token",
             Quirks(callbacks="astray")),
    )
)  # fmt: skip

_BY_AUDIO_ID: dict[str, Song] = {known.audio_id: known for known in (*SONGS, *ODD.values())}


def by_audio_id(audio_id: str) -> Song | None:
    return _BY_AUDIO_ID.get(audio_id)


def of_task(task_id: str) -> tuple[Song, ...]:
    """The songs of a generation task; empty where there is no such task."""
    return tuple(known for known in _BY_AUDIO_ID.values() if known.task_id == task_id)
