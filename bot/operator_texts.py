"""Every sentence for operators, as Telegram HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bot.texts import duration
from providers.base import Mode


@dataclass(frozen=True, slots=True)
class UpstreamReport:
    """One upstream as an operator sees it. ``times``: per mode, median and 90 % time in seconds."""

    title: str
    state: str
    credits: float | None
    open_separations: int
    last_error: str | None
    times: Mapping[Mode, tuple[float, float]]


def upstreams(reports: Sequence[UpstreamReport]) -> str:
    return "\n\n".join(map(_upstream, reports))


def _upstream(report: UpstreamReport) -> str:
    left = "credits unknown" if report.credits is None else f"{report.credits:g} credits left"
    lines = [f"<b>{escape(report.title)}</b>: {report.state}, {left}, {report.open_separations} open"]
    lines += [
        f"{mode}: median {duration(median)}, 90 % within {duration(most)}"
        for mode, (median, most) in report.times.items()
    ]
    if report.last_error:
        lines.append(f"last error: {escape(report.last_error)}")
    return "\n".join(lines)


def stats(counts: Mapping[str, int]) -> str:
    return "\n".join(f"{what}: {count}" for what, count in counts.items())


GRANT_USAGE = (
    "Whom, and how much? <code>/grant 123456789 50 for testing</code>; the id of a user (or of a"
    " group, which pays for its anonymous admins), credits, a reason."
)
GRANTED = "{amount} credits for {owner_id}. Balance {balance}."
GRANTED_BEFORE = "That was granted already. Balance {balance}."
NOBODY_KNOWN = "I don't know {owner_id}: they have to write to me first."


def key_refused(title: str, error: object) -> str:
    return (
        f"⚠ {escape(title)} refuses this bot's key or access: {escape(str(error))}\n"
        "Songs go to the other upstreams, if there are any. Check the key and restart the bot."
    )


def credits_low(title: str, credits: float | None) -> str:
    left = "" if credits is None else f" ({credits:g} left)"
    return f"⚠ The credits at {escape(title)} are running low{left}. Top them up."


def credits_used_up(title: str) -> str:
    return (
        f"⚠ The credits at {escape(title)} are used up. Top them up.\n"
        "Until then songs go to the other upstreams, if there are any; else they fail, and nobody is charged."
    )
