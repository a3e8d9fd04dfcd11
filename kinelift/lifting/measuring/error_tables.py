"""Markdown tables of the errors of lifters."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from kinelift.lifting.measuring.evaluation import METRICS, POSITION, Errors, Interval, Report
from kinelift.lifting.measuring.intervals import CONFIDENCE

_PROTOCOLS = (
    "MPJPE and N-MPJPE are of poses relative to their own root joint. With the root kept, the predicted root stays "
    "where the network put it, as Pavllo et al. 2019 published."
)
_INTERVALS = f" In brackets: {CONFIDENCE} % confidence, from drawing clips again."


def tables(reports: Mapping[str, Report], metrics: Sequence[str] = POSITION) -> Mapping[str, str]:
    """Markdown tables by title: all metrics, then ``metrics`` (such as ``MOTION``) overall, by subject and by action.

    The share of predicted frames follows in brackets where it is below 100 %. Units are those of ``Errors``.
    """
    return {
        "All metrics": _all_metrics(reports),
        "Overall": _table(reports, metrics, _totals),
        "By subject": _table(reports, metrics, lambda report: report.subjects),
        "By action": _table(reports, metrics, lambda report: report.actions),
    }


def _totals(report: Report) -> Mapping[str, Errors]:
    return {
        "all": report.overall,
        "mean over subjects": report.subject_mean,
        "mean over actions": report.action_mean,
    }


def _all_metrics(reports: Mapping[str, Report]) -> str:
    lines = ["| | over | " + " | ".join(METRICS.values()) + " |", "|---|---|" + "---:|" * len(METRICS)]
    for name, report in reports.items():
        means: Mapping[str, tuple[Errors, Interval | None]] = {
            "frames": (report.overall, report.overall_interval),
            "subjects": (report.subject_mean, None),
            "actions": (report.action_mean, report.action_mean_interval),
        }
        for over, (errors, interval) in means.items():
            lines.append(f"| {name} | {over} | " + " | ".join(_with(errors, interval, key) for key in METRICS) + " |")
    bracketed = any(isfinite(report.overall_interval.low.mpjpe) for report in reports.values())
    return "\n".join([*lines, "", _PROTOCOLS + _INTERVALS * bracketed])


def _with(errors: Errors, interval: Interval | None, key: str) -> str:
    """A metric with its interval, where there is one."""
    if interval is None or not isfinite(getattr(interval.low, key)):
        return errors.number(key)
    return f"{errors.number(key)} ({interval.low.number(key)} to {interval.high.number(key)})"


def _table(
    reports: Mapping[str, Report], metrics: Sequence[str], rows: Callable[[Report], Mapping[str, Errors]]
) -> str:
    heading = " / ".join(METRICS[key] for key in metrics)
    lines = ["| | frames | " + " | ".join(f"{name}, {heading}" for name in reports) + " |"]
    lines.append("|---|---:|" + "---:|" * len(reports))
    for name in dict.fromkeys(name for report in reports.values() for name in rows(report)):
        row = [rows(report).get(name) for report in reports.values()]
        frames = max(errors.frames for errors in row if errors)
        lines.append(
            f"| {name} | {frames} | " + " | ".join(errors.cell(metrics) if errors else "–" for errors in row) + " |"
        )
    return "\n".join(lines)
