"""``stembot demo``"""


def demo() -> None:
    """The whole bot in your browser, no accounts needed."""
