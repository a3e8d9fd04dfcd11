import pytest

from kinelift.__main__ import main


class Lifting:
    """``kinelift lifting`` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *args: object) -> str:
        """What it prints."""
        assert main(["lifting", *map(str, args)]) == 0
        return self.capsys.readouterr().out

    def fails(self, *args: object) -> str:
        """What it says when it ends with another status than 0."""
        assert main(["lifting", *map(str, args)]) != 0
        return self.capsys.readouterr().err.replace("\n", " ")


@pytest.fixture
def lifting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lifting:
    monkeypatch.setenv("COLUMNS", "200")
    return Lifting(capsys)
