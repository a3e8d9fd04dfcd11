"""Sources against a local web server and a local folder of wheels; the real package index where there is one."""

import io
import socket
import zipfile
from pathlib import Path

import pytest

from kinelift.poses.errors import WeightsError
from kinelift.weights import registry, sources
from kinelift.weights.download import KEPT, Patience
from kinelift.weights.sources import Npm, Url, Wheel, pip_reason
from kinelift.weights.store import State, Store
from tests.weights.conftest import CONTENT, entry_for


def leftovers(store: Store) -> list[str]:
    """The files in the cache, without what is kept of downloads that broke off."""
    return sorted(p.name for p in store.cache.iterdir() if not (p / KEPT).exists())


@pytest.mark.parametrize("page", ["good", "moved"])
def test_url_is_fetched(store: Store, server: str, page: str) -> None:
    entry = entry_for(Url(f"{server}/{page}"))
    assert store.fetch(entry).read_bytes() == CONTENT
    assert leftovers(store) == [entry.file]


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("missing", "answered 404"),
        ("other", "not the registered file"),
        ("truncated", "broke off|not the registered file"),
    ],
)
def test_bad_url_says_why_and_leaves_nothing(store: Store, server: str, page: str, says: str) -> None:
    with pytest.raises(WeightsError, match=says):
        store.fetch(entry_for(Url(f"{server}/{page}")))
    assert leftovers(store) == []


def test_unreachable_server(store: Store) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/x"
    with pytest.raises(WeightsError, match=r"cannot be reached. Check the connection"):
        store.fetch(entry_for(Url(url)))


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip uses instead of the package index; it holds one wheel with a zip in it."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as bundle:
        bundle.writestr("models/net.bin", CONTENT)
    with zipfile.ZipFile(folder / "toybundle-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("toybundle/bundle.dat", inner.getvalue())
        wheel.writestr("toybundle/plain.bin", CONTENT)
        wheel.writestr("toybundle-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toybundle\nVersion: 1.0\n")
        wheel.writestr("toybundle-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("toybundle-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.parametrize("members", [("toybundle/bundle.dat", "models/net.bin"), ("toybundle/plain.bin",)])
def test_member_of_a_wheel(store: Store, wheels: Path, members: tuple[str, ...]) -> None:
    entry = entry_for(Wheel("toybundle==1.0", members))
    assert store.fetch(entry).read_bytes() == CONTENT
    assert leftovers(store) == [entry.file]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (Wheel("toybundle==1.0", ("toybundle/none.bin",)), "does not hold toybundle/none.bin"),
        (Wheel("toybundle==1.0", ("toybundle/plain.bin", "x")), "plain.bin does not hold x"),
        (Wheel("toybundle==2.0", ("toybundle/plain.bin",)), "toybundle==2.0 with pip: the package index has no such"),
    ],
)
def test_wheel_that_does_not_fit(store: Store, wheels: Path, source: Wheel, says: str) -> None:
    with pytest.raises(WeightsError, match=says):
        store.fetch(entry_for(source))
    assert leftovers(store) == []


def test_a_member_that_is_too_large(store: Store, wheels: Path) -> None:
    with pytest.raises(
        WeightsError, match=f"plain.bin is not the published file: it holds more than {len(CONTENT) - 1} "
    ):
        store.fetch(entry_for(Wheel("toybundle==1.0", ("toybundle/plain.bin",)), CONTENT[:-1]))
    assert leftovers(store) == []


def test_pip_stops_at_the_size_of_the_wheel(store: Store, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = wheels / "toybundle-1.0-py3-none-any.whl"
    monkeypatch.setattr(sources, "_PIPS_OWN", 0)
    assert store.fetch(entry_for(Wheel("toybundle==1.0", ()), wheel.read_bytes())).stat().st_size
    with pytest.raises(WeightsError, match="larger than the registered one"):
        store.fetch(entry_for(Wheel("toybundle==1.0", ()), wheel.read_bytes()[:-1]))


def test_pip_stops_in_time(store: Store, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PATIENCE", Patience(start=0.01, rate=1e12))
    with pytest.raises(WeightsError, match=r"toybundle==1.0 with pip: not done in 0 s"):
        store.fetch(entry_for(Wheel("toybundle==1.0", ("toybundle/plain.bin",))))
    assert leftovers(store) == []


def test_package_index_out_of_reach(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/simple")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    with pytest.raises(WeightsError, match=r"the package index cannot be reached. Check the connection"):
        store.fetch(entry_for(Wheel("toybundle==1.0", ("toybundle/plain.bin",))))
    assert leftovers(store) == []


@pytest.fixture
def npm(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local server is the npm registry."""
    monkeypatch.setenv("npm_config_registry", f"{server}/")


@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize("source", [Npm("@toy/nets@1.0", "net.bin"), Npm("plain@1.0", "models/net.bin")])
def test_member_of_an_npm_package(store: Store, source: Npm) -> None:
    entry = entry_for(source)
    assert store.fetch(entry).read_bytes() == CONTENT
    assert leftovers(store) == [entry.file]


@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize(
    ("source", "says"),
    [
        (Npm("@toy/nets@1.0", "none.bin"), "does not hold none.bin"),
        (Npm("@toy/nets@1.1", "net.bin"), "incomplete or damaged"),
        (Npm("@toy/nets@1.2", "net.bin"), "incomplete or damaged"),
        (Npm("@toy/nets@1.3", "more.bin"), "broke off|no whole package"),
        (Npm("@toy/nets@9.9", "net.bin"), "answered 404"),
    ],
)
def test_npm_package_that_does_not_fit(store: Store, source: Npm, says: str) -> None:
    with pytest.raises(WeightsError, match=says):
        store.fetch(entry_for(source))
    assert leftovers(store) == []


def test_npm_registry_out_of_reach(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{closed.getsockname()[1]}")
    with pytest.raises(WeightsError, match=r"cannot be reached. Check the connection"):
        store.fetch(entry_for(Npm("@toy/nets@1.0", "net.bin")))


def test_npm_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("npm_config_registry", raising=False)
    assert Npm("@toy/nets@1.0", "x").url == "https://registry.npmjs.org/@toy/nets/-/nets-1.0.tgz"
    assert Npm("toy@1.0", "x").url == "https://registry.npmjs.org/toy/-/toy-1.0.tgz"


@pytest.mark.parametrize(
    ("stderr", "says"),
    [
        ("/usr/bin/python: No module named pip", "ensurepip"),
        ("WARNING: x\nERROR: first\nERROR: [Errno 28] No space left on device\n", "No space left on device."),
        ("", "pip failed."),
    ],
)
def test_pip_messages_become_one_sentence(stderr: str, says: str) -> None:
    reason = pip_reason(stderr)
    assert reason.endswith(says)
    assert "\n" not in reason and "ERROR" not in reason


@pytest.mark.slow
def test_registered_downloads_are_still_published(store: Store) -> None:
    for entry in registry.entries():
        if not isinstance(entry.source, Npm | Url | Wheel):
            continue
        try:
            store.fetch(entry)
        except WeightsError as error:
            if "cannot be reached" in str(error):
                pytest.skip(f"no network: {error}")
            raise
        assert store.verify(entry) is State.READY
