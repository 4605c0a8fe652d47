import re
import uuid
from collections import Counter

from sandbox import songs
from sandbox.songs import MORE_TASK, ODD, ODD_TASK, SONGS, TASK
from sandbox.upstreams.faults import FAULTS
from sandbox.upstreams.files import HOSTS, STEMS

EVERY = (*SONGS, *ODD.values())


def test_ids_are_unique_and_look_like_the_real_ones():
    audio_ids = [song.audio_id for song in EVERY]
    assert Counter(audio_ids).most_common(1)[0][1] == 1
    assert all(str(uuid.UUID(audio_id)) == audio_id for audio_id in audio_ids)
    assert all(re.fullmatch("[0-9a-f]{32}", task_id) for task_id in (TASK, MORE_TASK, ODD_TASK))


def test_tasks_list_their_songs():
    assert [song.title for song in songs.of_task(TASK)] == ["Paper Boats", "Paper Boats (Night)"]
    assert len(songs.of_task(MORE_TASK)) == 6
    assert songs.of_task(ODD_TASK) == tuple(ODD.values())
    assert songs.of_task("unknown") == ()


def test_a_song_is_found_by_its_id():
    assert songs.by_audio_id("5f0c2a9e-8d13-4b7e-9a41-2c6de7f1b034") == SONGS[0]
    assert songs.by_audio_id("unknown") is None


def test_every_odd_song_has_a_quirk_and_says_in_one_line_what_happens():
    for song in ODD.values():
        assert song.quirks != songs.Quirks()
        assert song.description
        assert "\n" not in song.description


def test_quirks_name_only_what_exists():
    for song in EVERY:
        assert song.quirks.submit_fault in {"", *FAULTS}
        assert song.quirks.host in HOSTS
        assert {*song.quirks.absent, *song.quirks.failed_clips} <= {*STEMS["basic"], *STEMS["full"]}
