"""``python -m docs.generate``: write every generated page, and remove those that are no longer generated."""

from docs.generate import left_over, pages


def main() -> None:
    """Write the pages in place."""
    expected = pages()
    for page in left_over(expected):
        page.unlink()
    for page, text in expected.items():
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
