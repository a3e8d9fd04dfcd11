"""The tables say what the figures say."""

from benchmarks.keypoints.agreement import ClipReadings, compare, steadiness, tables
from tests.benchmarks.keypoints.test_agreement_figures import clip, readings


def test_tables_of_two_clips() -> None:
    walks = {"a": clip(), "b": clip()[:1], "c": clip()}
    stands = dict(zip("abc", readings(1.0, 1.0, 2.0)[:, None], strict=True))
    heard = [ClipReadings("walk", 30.0, walks), ClipReadings("stand", 30.0, stands)]
    report = {"pairs": {f"a – {other}": compare(heard, "a", other) for other in "bc"}, "ways": steadiness(heard)}
    assert report["pairs"]["a – b"]["clips"]["walk"]["people"] == 0.5
    assert report["pairs"]["a – b"]["people"] == 0.667  # 90 of 135
    assert report["ways"]["c"]["jitter"] > 1.5 * report["ways"]["a"]["jitter"]
    assert report["ways"]["b"]["people"] == 90
    first, parts, ways, _ = tables(report).strip().split("\n\n")
    assert "| a – b | 66.7 % |" in first and "| wrist |" in parts
    assert len({line.count("|") for line in ways.splitlines()}) == 1
    nobody = [ClipReadings("walk", 30.0, {"a": clip(), "b": clip()[:0]})]
    assert "–" in tables({"pairs": {"a, b": compare(nobody, "a", "b")}, "ways": steadiness(nobody)})
