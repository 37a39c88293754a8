"""The brief as one HTML file that opens anywhere: no script, nothing from elsewhere.

The same brief gives the same bytes. What its lines say is decided in SQL, what they mean for a
section belongs to `sections`.
"""

from collections.abc import Sequence
from datetime import date
from html import escape

from odyssey_assets.core.figure_text import display_name, percent
from odyssey_assets.core.palette import BLUE, GRID, INK, MUTED, ORANGE, RED
from odyssey_assets.monitoring.brief.sections import (
    CASH,
    EVERYTHING,
    PORTFOLIO,
    Brief,
    Line,
    Section,
)

GREEN = "#2e7d4f"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
html {{ -webkit-text-size-adjust: 100%; }}
body {{ margin: 0; background: #ffffff; color: {INK};
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }}
header, main, footer {{ max-width: 1240px; margin: 0 auto; padding: 0 20px; }}
header {{ padding-top: 30px; }}
h1 {{ font-size: 2rem; line-height: 1.15; margin: 0 0 4px; }}
h2 {{ font-size: 1.15rem; line-height: 1.25; margin: 0 0 6px; }}
h3 {{ font-size: 1rem; margin: 8px 0 2px; }}
h3::first-letter {{ text-transform: uppercase; }}
p {{ margin: 0 0 6px; max-width: 62em; overflow-wrap: anywhere; }}
.muted, footer {{ color: {MUTED}; font-size: 0.9rem; }}
.banner {{ margin: 12px 0 0; padding: 8px 14px; border-left: 5px solid {RED};
  background: #fbeceb; color: {RED}; font-weight: 600; max-width: none; }}
.status {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 270px), 1fr));
  gap: 10px; list-style: none; margin: 20px 0; padding: 0; }}
.status a {{ display: block; height: 100%; padding: 9px 12px; border: 1px solid {GRID};
  border-left: 5px solid {MUTED}; color: {INK}; text-decoration: none; font-size: 0.9rem; }}
.status a:hover, .status a:focus-visible {{ background: #f6f7f8; }}
.status b {{ display: block; }}
.status .good {{ border-left-color: {GREEN}; }}
.status .warning {{ border-left-color: {ORANGE}; }}
.status .problem {{ border-left-color: {RED}; }}
section {{ margin: 0 0 26px; padding-top: 12px; border-top: 1px solid {GRID}; }}
.grid {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr));
  gap: 0 36px; align-items: start; }}
.grid > * {{ min-width: 0; }}
.wide {{ grid-column: 1 / -1; }}
.lines {{ list-style: none; margin: 0; padding: 0; }}
.lines li {{ padding: 4px 0; overflow-wrap: anywhere; }}
.lines b {{ margin-right: 6px; }}
.badge {{ display: inline-block; padding: 0 7px; margin-right: 6px; border-radius: 9px;
  font-size: 0.75rem; font-weight: 600; color: #ffffff; background: {MUTED}; }}
.badge.warning {{ background: #9a4f0c; }}
.badge.problem {{ background: {RED}; }}
table {{ border-collapse: collapse; width: 100%; max-width: 620px; font-size: 0.92rem;
  font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; color: {MUTED}; font-size: 0.85rem; padding-bottom: 2px; }}
th, td {{ padding: 3px 8px 3px 0; border-bottom: 1px solid {GRID}; text-align: left;
  vertical-align: baseline; }}
th {{ font-weight: 400; }}
thead th {{ color: {MUTED}; font-size: 0.85rem; }}
td.bar {{ width: 34%; }}
.bar span {{ display: block; height: 10px; background: {BLUE}; min-width: 1px; }}
.bar .cash {{ background: #d9dce0; }}
footer {{ padding: 12px 20px 40px; }}
footer a {{ color: {BLUE}; margin-right: 10px; }}
@media (max-width: 560px) {{
  body {{ font-size: 15px; }}
  header, main, footer {{ padding-left: 14px; padding-right: 14px; }}
  h1 {{ font-size: 1.6rem; }}
}}
@media print {{ .status a {{ break-inside: avoid; }} }}
"""


def render(brief: Brief, expected: date | None = None, earlier: Sequence[str] = ()) -> bytes:
    """Return the page as one HTML file.

    Args:
        brief: What happened.
        expected: Last session that is over; where the data ends before it, the page says so.
        earlier: Days of earlier briefs that lie beside it, each a file `<day>.html`.
    """
    when = "before the first session"
    if brief.session is not None:
        when = f"after the session of {brief.session}"
    parts = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>Morning brief, {when}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
        f'<header><h1>Morning brief</h1>\n<p class="muted">{when.capitalize()}</p>',
        *_banners(brief, expected),
        "</header>\n<main>",
        _status(brief),
        _urgent(brief),
        f'<div class="grid">{"".join(map(_section, brief.sections))}</div>',
        "</main>",
        _footer(earlier),
        "</body>\n</html>\n",
    )
    return "\n".join(part for part in parts if part).encode()


def _banners(brief: Brief, expected: date | None) -> list[str]:
    texts = []
    if brief.session is not None and expected is not None and brief.session < expected:
        texts.append(
            f"The data ends at {brief.session}, but {expected} is over: everything below is old."
        )
    if brief.is_simulated:
        texts.append("Simulated data: these prices were generated. Nobody could have traded them.")
    return [f'<p class="banner" role="note">{escape(text)}</p>' for text in texts]


def _status(brief: Brief) -> str:
    tiles = "".join(
        f'<li><a class="{escape(section.severity)}" href="#{escape(section.name)}">'
        f"<b>{escape(section.title)}</b>{escape(section.summary)}</a></li>\n"
        for section in brief.sections
    )
    return f'<nav aria-label="Sections"><ul class="status">\n{tiles}</ul></nav>'


def _urgent(brief: Brief) -> str:
    if not brief.urgent:
        return "<section><h2>To look at first</h2>\n<p>Nothing.</p>\n</section>"
    lines = "\n".join(_line(line, section.title) for section, line in brief.urgent)
    return f'<section><h2>To look at first</h2>\n<ul class="lines">\n{lines}\n</ul>\n</section>'


def _section(section: Section) -> str:
    if section.name == PORTFOLIO and section.policies:
        held = "".join(f"<div>{_portfolio(section, line)}</div>\n" for line in section.policies)
        return f'{_head(section, "wide")}<div class="grid">\n{held}</div></section>\n'
    summed = "".join(f"<p>{escape(each.text)}</p>\n" for each in section.lines[:1])
    if section.lines and section.lines[0] in section.details:
        summed = ""
    lines = "\n".join(_line(line) for line in section.details)
    listed = f'<ul class="lines">\n{lines}\n</ul>\n' if lines else ""
    return f"{_head(section)}{summed}{listed}</section>\n"


def _head(section: Section, style: str = "narrow") -> str:
    return (
        f'<section id="{escape(section.name)}" class="{style}"><h2>{escape(section.title)}</h2>\n'
    )


def _line(line: Line, where: str = "") -> str:
    is_loud = line.severity in ("warning", "problem")
    badge = f'<span class="badge {line.severity}">{line.severity}</span>' if is_loud else ""
    about = ("" if line.subject == EVERYTHING else display_name(line.subject), line.ticker or "")
    name = ", ".join(part for part in (where, " ".join(about).strip()) if part)
    return f"<li>{badge}<b>{escape(name)}</b>{escape(line.text)}</li>"


def _portfolio(section: Section, policy: Line) -> str:
    holdings = section.holdings(policy.subject)
    largest = max((line.value or 0.0 for line in holdings), default=0.0) or 1.0
    rows = "\n".join(_holding(line, largest) for line in holdings)
    return (
        f"<h3>{escape(display_name(policy.subject))}</h3>\n<p>{escape(policy.text)}</p>\n"
        "<table>\n<caption>Share of equity</caption>\n<thead><tr>"
        '<th scope="col">ticker</th><th scope="col">target</th><th></th>'
        f'<th scope="col">order</th></tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n'
    )


def _holding(line: Line, largest: float) -> str:
    name = "cash" if line.ticker == CASH else str(line.ticker)
    share = line.value or 0.0
    order = "; ".join(line.text.split("; ")[1:])
    kind = ' class="cash"' if line.ticker == CASH else ""
    return (
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(percent(share))}</td>'
        f'<td class="bar"><span{kind} style="width:{100 * max(share, 0.0) / largest:.1f}%"></span>'
        f"</td><td>{escape(order)}</td></tr>"
    )


def _footer(earlier: Sequence[str]) -> str:
    links = "".join(f'<a href="{escape(day)}.html">{escape(day)}</a>\n' for day in earlier)
    before = f"<p>Earlier briefs: {links}</p>" if links else ""
    return (
        f"<footer>{before}<p>A forecast or target weight is no advice. Every line is a row of "
        "marts.mart_morning_brief.</p></footer>"
    )
