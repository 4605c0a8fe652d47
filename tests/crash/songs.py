"""Songs for tests: ordinary ones, among them some whose upstream is odd in a way that nobody notices."""

from sandbox.songs import ODD, SONGS, Song

HARMLESS = (
    *(
        "callback_exception",
        "unknown_status",
        "null_stems",
        "empty_stems",
        "missing_stems",
        "kazoo",
        "spaces",
    ),
    *("code_as_text", "times_as_text", "times_as_null", "callback_twice", "task_in_list", "useless_links"),
)
ORDINARY: tuple[Song, ...] = (*SONGS, *(ODD[name] for name in HARMLESS))
HOPELESS: tuple[Song, ...] = tuple(ODD[name] for name in ("success_without_links", "generation_failed"))
UNKNOWN = Song("ffffffff-0000-4000-8000-000000000000", SONGS[0].task_id, "")


def command_for(song: Song, mode: str = "basic") -> str:
    return f"/stems {song.task_id}:{song.audio_id}" + (" full" if mode == "full" else "")
