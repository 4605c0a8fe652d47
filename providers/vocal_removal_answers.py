"""What the API of sunoapi.org, kie.ai and apikley.ru answers, read tolerantly: pure functions of a Reply.

The outcome is in the body's ``code``; a separation's status word is ``successFlag``, its stems are the
``...Url`` fields of ``response``. https://docs.sunoapi.org/suno-api/get-vocal-separation-details
"""

import re
from collections.abc import Iterator, Mapping

from pydantic import AliasChoices, Field

from providers import stems
from providers.base import Failed, Json, Progress, Running, Song, StemLink, Succeeded
from providers.codes import UNKNOWN, Codes, Row, by_status, error_of, judge_look, question_error
from providers.codes import told as words_of
from providers.errors import (
    NoCredits,
    OutcomeUnknown,
    ProviderError,
    SongUnknown,
    TaskUnknown,
    TooFast,
    Unavailable,
)
from providers.http import Reply, safe
from providers.wire import (
    ARTIST,
    COVER,
    Anything,
    Code,
    Link,
    Number,
    Text,
    Wire,
    link_in,
    number_in,
    record_in,
    records_in,
)

# A 429 whose text speaks of the other thing means what its text says.
OF_CREDITS = re.compile(r"credit|insufficient|balance|top.?up", re.IGNORECASE)
OF_RATE = re.compile(r"frequen|limit|too many|too fast", re.IGNORECASE)
# What kie.ai says for a task it does not know (yet): https://docs.kie.ai
OF_NO_TASK = re.compile(r"record\s?info is null", re.IGNORECASE)

STEM_KEY = re.compile(r"(?P<stem>.+?)(_url|Url|URL)")
NOT_STEMS = {"origin", "callback"}
ENDED_WELL = {"SUCCESS", "1"}  # the house's other products say it with numbers
ENDED_BADLY = re.compile("FAIL|ERROR|^[23]$")
CALLBACK_EXCEPTION = "CALLBACK_EXCEPTION"
NO_ERROR = (None, 0, 200)


class Envelope(Wire):
    code: Code = None
    msg: Text = Field(None, validation_alias=AliasChoices("msg", "message", "error"))
    data: Anything = None


class TaskId(Wire):
    value: Text = Field(None, validation_alias=AliasChoices("taskId", "task_id"))


class Record(Wire):
    """A separation. https://docs.sunoapi.org/suno-api/get-vocal-separation-details"""

    flag: Text = Field(None, validation_alias=AliasChoices("successFlag", "success_flag"))
    response: Anything = Field(
        None, validation_alias=AliasChoices("response", "vocal_removal_info", "vocal_separation_info")
    )
    error_code: Code = Field(None, validation_alias=AliasChoices("errorCode", "error_code"))
    error_message: Text = Field(None, validation_alias=AliasChoices("errorMessage", "error_message"))
    callback_url: Text = Field(
        None, validation_alias=AliasChoices("callbackUrl", "callBackUrl", "callback_url")
    )
    audio_id: Text = Field(None, validation_alias=AliasChoices("audioId", "audio_id"))


class Origin(Wire):
    """An item of ``originData``: kie.ai's second list of the same stems."""

    id: Text = None
    name: Text = Field(None, validation_alias=AliasChoices("stem_type_group_name", "stemTypeGroupName"))
    url: Anything = Field(None, validation_alias=AliasChoices("audio_url", "audioUrl"))
    duration_s: Number = Field(None, validation_alias="duration")


class Track(Wire):
    """A song of a generation task. https://docs.sunoapi.org/suno-api/get-music-generation-details"""

    id: Text = None
    title: Text = None
    duration_s: Number = Field(None, validation_alias="duration")
    artist: Text = Field(None, validation_alias=ARTIST)
    cover_url: Link = Field(None, validation_alias=COVER)


def envelope_of(reply: Reply) -> Envelope:
    return Envelope.read(record_in(reply.json))


def code_of(reply: Reply) -> int | None:
    """The body's code, which wins over the HTTP status; None if there is none to go by."""
    if reply.status == 405:  # a wrong address; as a body's code, 405 is a rate
        return None
    return envelope_of(reply).code


def told(reply: Reply) -> str:
    """Its own words, safe to show."""
    return words_of(reply, envelope_of(reply).msg, code_of(reply))


def said_with_429(reply: Reply) -> type[ProviderError] | None:
    """What the text of a 429 speaks of; None if of neither, or of both."""
    text = envelope_of(reply).msg or ""
    credits, rate = OF_CREDITS.search(text), OF_RATE.search(text)
    if bool(credits) == bool(rate):
        return None
    return NoCredits if credits else TooFast


def row_of(reply: Reply, codes: Codes) -> Row | None:
    """What the answer means; None if all is well."""
    code = code_of(reply)
    if code is None:
        well = reply.json is not None and reply.status // 100 == 2
        return None if well else by_status(reply.status)
    if code == 429 and (said := said_with_429(reply)):
        return said, TooFast
    return None if code == 200 else codes.get(code, UNKNOWN)


def parse_submitted(reply: Reply, codes: Codes) -> str:
    """The upstream_task_id; raises what the table's first column says."""
    row = row_of(reply, codes)
    task_id = TaskId.read(_data_of(reply)).value
    # 409, "exists already", is good news if it names the task.
    if task_id and (row is None or code_of(reply) == 409):
        return task_id
    if row is None:
        raise OutcomeUnknown(f"the answer names no task: {told(reply)}")
    raise error_of(row[0], told(reply), reply)


def parse_record(reply: Reply, codes: Codes) -> Progress:
    """How far a separation is; raises what the table's second column says."""
    if row := row_of(reply, codes):
        return judge_look(_as_unknown_task(row, reply), told(reply), reply)
    record = Record.read(_data_of(reply))
    # A failed callback does not spoil the files, so links are read before the flag.
    if links := stems_in(record.response):
        return Succeeded(links)
    return Failed(_why(record)) if _is_over(record) else Running()


def parse_songs(reply: Reply, codes: Codes, task_id: str) -> tuple[Song, ...]:
    """The songs of a generation task; none while there are none yet."""
    if row := row_of(reply, codes):
        raise question_error(_as_unknown_task(row, reply), told(reply), reply, unknown=SongUnknown)
    data = _data_of(reply)
    if not data:
        raise SongUnknown(f"no such task: {told(reply)}")
    response = record_in(data.get("response"))
    tracks = map(Track.read, records_in(response.get("sunoData") or response.get("suno_data")))
    return tuple(
        Song(track.id, task_id, track.title, track.duration_s, track.artist, track.cover_url)
        for track in tracks
        if track.id
    )


def parse_credits(reply: Reply, codes: Codes) -> float:
    """The balance. https://docs.sunoapi.org/suno-api/get-remaining-credits"""
    if row := row_of(reply, codes):
        raise question_error(row, told(reply), reply, unknown=Unavailable)
    balance = number_in(envelope_of(reply).data)
    if balance is None:
        raise Unavailable(f"no number of credits: {told(reply)}")
    return balance


def is_ours(reply: Reply, codes: Codes, callback_url: str, audio_id: str | None) -> bool:
    """Whether a look shows our callback's address, whose token nobody can guess, and no other song."""
    if row := row_of(reply, codes):
        judge_look(_as_unknown_task(row, reply), told(reply), reply)
        return False
    record = Record.read(_data_of(reply))
    other_song = audio_id is not None and record.audio_id not in (None, audio_id)
    return bool(callback_url) and record.callback_url == callback_url and not other_song


def claimed_task_id(body: Json) -> str | None:
    """The task id in a callback: ``{"data": {"task_id": ...}}``, in either spelling."""
    envelope = record_in(body)
    return TaskId.read(record_in(envelope.get("data"))).value or TaskId.read(envelope).value


def stems_in(response: Json) -> tuple[StemLink, ...]:
    """Every stem that a look's ``response``, or a callback's ``vocal_removal_info``, has a link to."""
    fields = record_in(response)
    found: dict[str, StemLink] = {}
    for stem in _named_by_field(fields):
        found.setdefault(stem.name, stem)
    origin = link_in(fields.get("originUrl") or fields.get("origin_url"))
    for item in map(_origin, records_in(fields.get("originData") or fields.get("origin_data"))):
        _add(found, item, origin)
    return tuple(sorted(found.values(), key=lambda stem: stems.rank(stem.name)))


def _named_by_field(fields: Mapping[str, Json]) -> Iterator[StemLink]:
    """``backingVocalsUrl`` or ``backing_vocals_url``: any instrument, so that a new one shows too."""
    for key, value in fields.items():
        match, link = STEM_KEY.fullmatch(key), link_in(value)
        if match and link and match["stem"].replace("_", "").lower() not in NOT_STEMS:
            yield StemLink(stems.name_of(match["stem"]), link)


def _origin(item: Mapping[str, Json]) -> Origin:
    # The advanced type has the stem under "extract", and the mix without it under "remove".
    return Origin.read(item.get("extract") or dict(item))


def _add(found: dict[str, StemLink], item: Origin, origin: str | None) -> None:
    """The same stems come a second time under other links: the same by name, by id or by link is the same."""
    name, link = stems.name_of(item.name or ""), link_in(item.url)
    known = found.get(name)
    if known is not None:
        found[name] = StemLink(name, known.url, item.duration_s or known.duration_s)
        return
    twin = any(link == stem.url or (item.id and item.id in stem.url) for stem in found.values())
    if link and link != origin and not twin:
        found[name] = StemLink(name, link, item.duration_s)


def _as_unknown_task(row: Row, reply: Reply) -> Row:
    return (row[0], TaskUnknown) if OF_NO_TASK.search(envelope_of(reply).msg or "") else row


def _is_over(record: Record) -> bool:
    flag = (record.flag or "").upper()
    if flag == CALLBACK_EXCEPTION:  # the files may still come, unless an error is named
        return record.error_message is not None or record.error_code not in NO_ERROR
    # Any other word is one that nobody documented: the deadline bounds the wait.
    return flag in ENDED_WELL or bool(ENDED_BADLY.search(flag))


def _why(record: Record) -> str:
    return safe(record.error_message or "") or "no stems came back"


def _data_of(reply: Reply) -> dict[str, Json]:
    return record_in(envelope_of(reply).data)
