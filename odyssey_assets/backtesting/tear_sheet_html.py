"""The parts of a report page: escaped texts, tables, charts with their legends and captions.

Every text that comes from data or settings passes through here and is escaped. What a report shows
belongs to `tear_sheet_tables` and `tear_sheet_figures`, how the page looks to `tear_sheet_page`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from odyssey_assets.core.palette import GAIN, LOSS, NEUTRAL, text_color


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: What it says, not escaped yet.
        shade: From -1, a loss, to 1, a gain; None: not shaded.
    """

    text: str
    shade: float | None = None


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        caption: What it shows.
        head: Names of the columns; the first is that of the row names.
        rows: Name and cells of each row.
        note: A line below it.
        style: A class of the page's style sheet.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    note: str = ""
    style: str = "plain"


@dataclass(frozen=True)
class Chart:
    """One Plotly chart.

    Attributes:
        name: Identifies it on the page; letters and hyphens.
        title: Heading above it.
        summary: What it shows, for readers who cannot see it.
        data: Traces as Plotly takes them; none: there is nothing to show yet.
        layout: Layout as Plotly takes it.
        legend: Colour of each line by name.
        note: A line below it.
        height: Pixels.
    """

    name: str
    title: str
    summary: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    legend: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    height: int = 320


def text(value: str) -> str:
    """Return the text so that it means itself in HTML."""
    return escape(value, quote=True)


def section(name: str, title: str, *parts: str) -> str:
    """Return a section with its heading; `name` is what links point to."""
    body = "\n".join(part for part in parts if part)
    return (
        f'<section id="{text(name)}" aria-labelledby="{text(name)}-title">\n'
        f'<h2 id="{text(name)}-title">{text(title)}</h2>\n{body}\n</section>'
    )


def table(content: Table) -> str:
    """Return a table that scrolls sideways where the screen is narrow."""
    if not content.rows:
        return f'<p class="empty">{text(content.caption)}: no data yet.</p>'
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in content.head)
    rows = "\n".join(
        f'<tr><th scope="row">{text(name)}</th>{"".join(map(_cell, cells))}</tr>'
        for name, cells in content.rows
    )
    note = f'<p class="note">{text(content.note)}</p>' if content.note else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(content.caption)}">\n'
        f'<table class="{text(content.style)}">\n<caption>{text(content.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>{note}"
    )


def chart(content: Chart) -> str:
    """Return the place of a chart, with its heading, legend and caption."""
    title = f"<h3>{text(content.title)}</h3>"
    note = f"<figcaption>{text(content.note)}</figcaption>" if content.note else ""
    if not content.data:
        return f'<figure>{title}<p class="empty">No data yet.</p>{note}</figure>'
    keys = "".join(
        f'<li><span class="key" style="background:{text(color)}"></span>{text(name)}</li>'
        for name, color in content.legend.items()
    )
    legend = f'<ul class="legend">{keys}</ul>' if keys else ""
    return (
        f'<figure>{title}{legend}<div class="chart" id="chart-{text(content.name)}" role="img" '
        f'aria-label="{text(content.summary)}" style="height:{content.height}px"></div>{note}'
        "</figure>"
    )


def _cell(cell: Cell) -> str:
    if cell.shade is None:
        return f"<td>{text(cell.text)}</td>"
    parts = _mixed(NEUTRAL, GAIN if cell.shade > 0 else LOSS, min(abs(cell.shade), 1.0))
    background = "#" + "".join(f"{part:02x}" for part in parts)
    color = text_color(*(part / 255 for part in parts))
    return f'<td style="background:{background};color:{color}">{text(cell.text)}</td>'


def _mixed(start: str, end: str, share: float) -> list[int]:
    """Return red, green and blue of the colour `share` of the way from one to the other."""
    return [
        round(int(start[at : at + 2], 16) * (1 - share) + int(end[at : at + 2], 16) * share)
        for at in (1, 3, 5)
    ]
