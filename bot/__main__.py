"""``python -m bot`` is ``stembot``."""

from bot.cli import main

main()
