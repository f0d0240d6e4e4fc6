"""Tables for people. Targets stand beside what was measured; nothing fails by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.stack import SERVERS, SERVICE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.figures import Figures

ONE, PARALLEL, AT_ONCE = "one at a time", "30 in parallel", "provider at once"
_STAGES = ("admit", "receive", "open", "run", "queue", "fetch", "provider", "check", "store", "answer")
_MEMORY_SERVICES = ("gateway", "media", "providers")


def tables(found: Sequence[Figures], machine: Mapping[str, object]) -> str:
    """Everything, as Markdown."""
    lines = [", ".join(f"{name} {_text(value)}" for name, value in machine.items()), ""]
    lines += _speed(found)
    lines += _stage_table([each for each in found if each.target == "platform" and each.case == ONE])
    lines += _cpu(found)
    lines += _memory([each for each in found if each.case == AT_ONCE])
    return "\n".join(lines)


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _speed(found: Sequence[Figures]) -> list[str]:
    rows = [
        [
            each.case,
            each.size,
            each.target,
            _statuses(each),
            f"{each.total_p50:.0f}",
            f"{each.overhead_p50:.0f}",
            f"{each.overhead_p95:.0f}",
            f"{each.photos_per_second:.1f}" if each.parallel > 1 else "",
            f"{each.others:.0%}",
            _target(each),
        ]
        for each in found
    ]
    head = [
        "case",
        "photo",
        "",
        "answers",
        "total p50 ms",
        "own p50 ms",
        "own p95 ms",
        "photos/s",
        "others",
        "target",
    ]
    return [
        "## Time beside the provider's own (`others`: CPU the rest of the machine took)",
        "",
        *_table(head, rows),
    ]


def _statuses(each: Figures) -> str:
    text = ", ".join(f"{count} x {status}" for status, count in each.statuses.items())
    extra = each.provider_calls - each.photos
    return f"{text} ({extra:+d} provider calls)" if extra else text


def _target(each: Figures) -> str:
    if each.target != "platform":
        return ""
    if each.case == ONE:
        most = {"5 MB": 90, "15 MB": 180}.get(each.size)
        return _verdict(each.overhead_p50 <= most, f"p50 <= {most} ms") if most else ""
    if each.case == PARALLEL:
        good = each.overhead_p95 <= 2000 and set(each.statuses) == {"200"}
        return _verdict(good, "all 200, p95 <= 2 s")
    return _verdict(each.photos_per_second >= 12, ">= 12/s")


def _verdict(good: bool, words: str) -> str:
    return f"{words}: {'met' if good else 'MISSED'}"


def _stage_table(found: Sequence[Figures]) -> list[str]:
    if not found:
        return []
    stages = [stage for stage in _STAGES if any(stage in each.stages_p50 for each in found)]
    rows = [[each.size, *(_number(each.stages_p50.get(stage)) for stage in stages)] for each in found]
    return [
        "## Where it goes, one at a time (medians, ms; `fetch` to `store` are inside `run`)",
        "",
        *_table(["photo", *stages], rows),
    ]


def _cpu(found: Sequence[Figures]) -> list[str]:
    names = (*SERVICE_NAMES, *SERVERS, "bare", "provider mock", "client")
    rows = []
    for each in found:
        ours = sum(value for name, value in each.cpu_ms.items() if name not in {"provider mock", "client"})
        cells = (_number(each.cpu_ms.get(name)) for name in names)
        rows.append([each.case, each.size, each.target, f"{ours:.0f}", *cells])
    return ["## CPU a photo, ms", "", *_table(["case", "photo", "", "sum", *names], rows)]


def _memory(found: Sequence[Figures]) -> list[str]:
    if not found:
        return []
    names = (*SERVICE_NAMES, *SERVERS, "bare")
    rows = []
    for each in found:
        target = ""
        if each.target == "platform" and each.size == "15 MB":
            good = all(each.peak_mib[name] < 250 for name in _MEMORY_SERVICES)
            target = _verdict(good, f"{', '.join(_MEMORY_SERVICES)} < 250")
        rows.append([each.size, each.target, *(_number(each.peak_mib.get(name)) for name in names), target])
    return [
        "## Peak memory after both parallel runs, MiB (fresh processes)",
        "",
        *_table(["photo", "", *names, "target"], rows),
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"

    return [line(head), line(["-" * width for width in widths]), *map(line, rows), ""]
