"""Escapes for characters that cannot be shown."""


def escaped(character: str) -> str:
    r"""A character as an escape that Python reads, such as ``\u0939``."""
    return character.encode("unicode_escape").decode("ascii")
