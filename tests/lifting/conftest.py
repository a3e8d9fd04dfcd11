import sys

import pytest

from kinelift.lifting.__main__ import main


class Lifting:
    """``python -m lifting`` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *args: object) -> str:
        """What it prints."""
        self.monkeypatch.setattr(sys, "argv", ["lifting", *map(str, args)])
        main()
        return self.capsys.readouterr().out

    def fails(self, *args: object) -> str:
        """What it says when it ends with another status than 0."""
        with pytest.raises(SystemExit) as ended:
            self(*args)
        assert ended.value.code not in (0, None)
        return self.capsys.readouterr().err.replace("\n", " ")


@pytest.fixture
def lifting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lifting:
    monkeypatch.setenv("COLUMNS", "200")
    return Lifting(monkeypatch, capsys)
