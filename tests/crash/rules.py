"""The rules that must never break, checked from outside once all is quiet: in the chats, at the upstream,
in the database file. Each rule yields a sentence for everything that breaks it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.songs import by_audio_id
from sandbox.telegram import Message
from sandbox.upstreams.files import STEMS, words
from tests.crash.driver import Doubts
from tests.crash.snapshot import OPEN_JOBS, Job, Snapshot
from tests.end_to_end.towns import Town

# What the last form of a status message says, by the state in which the job ended.
TOLD = {
    "delivered": "Delivered: ",
    "failed": "Nothing was charged",
    "cancelled": "Cancelled, nothing was charged",
    "left": "You withdrew. It was made for the others",
}
MAY_TRY_AGAIN = {"failed", "cancelled"}
# What the answers to other commands hold; at least as many answers have to come.
ANSWERS = {"/credits": "You have ", "/grant": "Balance "}
REFUSED = "This costs "  # instead of a job, for want of credits

Place = tuple[int, int]  # a message: its chat and its id


@dataclass(frozen=True)
class Evidence:
    """All there is to see. ``commands`` are what people said to the bot, as far as it is known."""

    town: Town
    snapshot: Snapshot
    doubts: Doubts
    commands: Sequence[Message] = ()

    @property
    def places(self) -> set[Place]:
        """The messages that asked for jobs."""
        return {(job.chat_id, job.message_id) for job in self.snapshot.jobs}

    @property
    def albums(self) -> int:
        """How many came, in all chats."""
        said = [message for chat_id in self.town.telegram.world.chats for message in self.said_in(chat_id)]
        return len({message.media_group_id for message in said if message.media_group_id})

    @property
    def status_messages(self) -> int:
        """How many texts came in reply to what became a job."""
        return sum(len(self.texts(place)) for place in self.places)

    def lost_charges(self) -> Counter[tuple[str, str]]:
        """Charges for a song and mode whose task the bot never heard of."""
        known = {separation.upstream_task_id for separation in self.snapshot.separations}
        lost = [submit for submit in self.town.upstream.submits if submit.task_id not in known]
        return Counter((submit.song.audio_id, submit.mode) for submit in lost)

    def audios(self, place: Place) -> Counter[str]:
        """How often each stem came in reply to a message, by the name in its title."""
        return Counter(stem_in(message.audio.title) for message in self._replies(place) if message.audio)

    def texts(self, place: Place) -> list[Message]:
        return [message for message in self._replies(place) if message.text is not None]

    def said_in(self, chat_id: int) -> list[Message]:
        """What the bot said in a chat."""
        bot_id = self.town.telegram.world.bot.user_id
        return [message for message in self.town.telegram.messages(chat_id) if message.sender_id == bot_id]

    def _replies(self, place: Place) -> list[Message]:
        chat_id, message_id = place
        return [said for said in self.said_in(chat_id) if said.reply_to_message_id == message_id]


def every_request_ended(evidence: Evidence) -> Iterator[str]:
    for job in evidence.snapshot.jobs:
        if job.state in OPEN_JOBS:
            yield f"job {job.id} is still {job.state}"
    yield from (f"given up: update {update}" for update in evidence.snapshot.given_up)


def no_command_was_lost(evidence: Evidence) -> Iterator[str]:
    asked = Counter((command.chat_id, command.text.split()[0]) for command in evidence.commands)
    for (chat_id, verb), times in asked.items():
        if (word := ANSWERS.get(verb)) and (said := _how_often(evidence, chat_id, word)) < times:
            yield f"{times} times {verb} in chat {chat_id}, answered {said} times"
    for command in evidence.commands:
        became_a_job = (command.chat_id, command.message_id) in evidence.places
        was_refused = _how_often(evidence, command.chat_id, REFUSED) > 0
        if command.text.startswith("/stems") and not (became_a_job or was_refused):
            yield f"{command.text!r} in chat {command.chat_id} became no job, and nobody said why"


def _how_often(evidence: Evidence, chat_id: int, words: str) -> int:
    return sum(words in said.formatted.text for said in evidence.said_in(chat_id))


def everybody_was_told(evidence: Evidence) -> Iterator[str]:
    for job in evidence.snapshot.jobs:
        said = {message.message_id: message for message in evidence.said_in(job.chat_id)}
        told = said.get(job.status_message_id)
        if told is None:
            yield f"job {job.id} ({job.state}) has no status message"
        elif TOLD.get(job.state, "") not in told.formatted.text:
            yield f"job {job.id} is {job.state}, its person was told: {told.formatted.text!r}"
        elif job.state in MAY_TRY_AGAIN and "Try again" not in [b["text"] for b in told.buttons]:
            yield f"job {job.id} is {job.state}, without a button to try again"


def nothing_was_bought_twice(evidence: Evidence) -> Iterator[str]:
    """One charge for each song and mode, and one more for each that had failed before: that was told to
    whoever asked, who asked again. A charge of which the bot knows nothing was an uncertain submit."""
    failed = [each for each in evidence.snapshot.separations if each.state == "failed"]
    failures = Counter((each.audio_id, each.mode) for each in failed)
    unsure = Counter((each.audio_id, each.mode) for each in failed if each.upstream_task_id is None)
    charges = Counter((submit.song.audio_id, submit.mode) for submit in evidence.town.upstream.submits)
    for what, count in charges.items():
        if count > 1 + failures[what]:
            yield f"{what} was bought {count} times, and failed {failures[what]} times"
    for what, count in (evidence.lost_charges() - unsure).items():
        yield f"{what}: {count} charges of which the bot knows nothing, though none was uncertain"


def no_stem_is_missing_and_none_there_twice(evidence: Evidence) -> Iterator[str]:
    """But for albums that were on their way when the bot was killed."""
    for place in evidence.places:
        there, wanted = evidence.audios(place), stems_wanted(evidence.snapshot.jobs_of(*place))
        if missing := wanted - there:
            yield f"{place}: missing {dict(missing)}"
        if surplus := there - wanted - _in_doubt(evidence.doubts, place):
            yield f"{place}: too many {dict(surplus)}, in doubt were {_in_doubt(evidence.doubts, place)}"


def status_messages_are_not_repeated(evidence: Evidence) -> Iterator[str]:
    """But for acknowledgements that were on their way when the bot was killed."""
    for place in evidence.places:
        jobs, texts = evidence.snapshot.jobs_of(*place), evidence.texts(place)
        doubts = sum(evidence.doubts.acknowledgements[job.id] for job in jobs)
        if len(texts) > len(jobs) + doubts:
            said = [message.text for message in texts]
            yield f"{place}: {len(jobs)} jobs, {doubts} in doubt, but {len(texts)} messages: {said}"


RULES = (
    every_request_ended,
    no_command_was_lost,
    everybody_was_told,
    nothing_was_bought_twice,
    no_stem_is_missing_and_none_there_twice,
    status_messages_are_not_repeated,
)


def broken_rules(evidence: Evidence) -> list[str]:
    return [f"{rule.__name__}: {sentence}" for rule in RULES for sentence in rule(evidence)]


def stems_wanted(jobs: Sequence[Job]) -> Counter[str]:
    """What the delivered ones of these jobs bring, by the name that people read."""
    delivered = [job for job in jobs if job.state == "delivered"]
    return Counter(stem for job in delivered for stem in stems_of(job.audio_id, job.mode))


def stems_of(audio_id: str, mode: str) -> list[str]:
    quirks = by_audio_id(audio_id).quirks
    return [words(name) for name in (*STEMS[mode], *quirks.extra) if name not in quirks.absent]


def stem_in(title: str) -> str:
    """``"Paper Boats (Drums)"`` -> ``"Drums"``"""
    return title.rpartition(" (")[2].removesuffix(")")


def _in_doubt(doubts: Doubts, place: Place) -> Counter[str]:
    found: Counter[str] = Counter()
    for (chat_id, message_id, stems), times in doubts.albums.items():
        if (chat_id, message_id) == place:
            found.update({words(stem): times for stem in stems})
    return found
