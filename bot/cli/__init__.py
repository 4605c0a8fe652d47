"""The ``stembot`` command."""

import typer

from bot.cli import check, demo, ledger, migrate, run

# Tracebacks go through the redaction of our own logging; typer's would show local variables.
app = typer.Typer(
    help="A Telegram bot that splits Suno songs into stems.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(run.run)
app.command()(demo.demo)
app.command()(check.check)
app.command()(migrate.migrate)
app.add_typer(ledger.app, name="ledger")


def main() -> None:
    app()
