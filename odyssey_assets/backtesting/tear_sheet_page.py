"""The page of a report: style sheet, script, and the frame around its sections.

The page opens without a network: Plotly's JavaScript is embedded once for all charts, and a content
security policy forbids everything from elsewhere. Dates, times and random names would make two
pages of the same data differ, so there are none.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plotly.offline import get_plotlyjs

from odyssey_assets.backtesting.plotly_parts import FONT, SESSIONS
from odyssey_assets.backtesting.tear_sheet_html import Chart, text
from odyssey_assets.core.palette import BLUE, GRID, INK, MUTED, RED

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
_STYLE = f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
html {{ -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }}
body {{ margin: 0; background: #ffffff; color: {INK}; font: 16px/1.5 {FONT}; }}
header, main, nav, footer, .banner {{ max-width: 1280px; margin: 0 auto; padding: 0 20px; }}
header {{ padding-top: 32px; }}
h1 {{ font-size: 2.1rem; line-height: 1.15; margin: 0; letter-spacing: -0.01em; }}
h1::first-letter, caption::first-letter {{ text-transform: uppercase; }}
.kicker, .period {{ color: {MUTED}; margin: 0 0 6px; font-size: 0.9rem; }}
.lead {{ margin: 8px 0; max-width: 46em; }}
.banner {{ margin-top: 14px; }}
.banner p {{ margin: 0; padding: 8px 14px; border-left: 5px solid {RED}; background: #fbeceb;
  color: {RED}; font-weight: 600; }}
nav {{ margin-top: 18px; }}
nav ul {{ display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 0;
  padding: 10px 0; border: solid {GRID}; border-width: 1px 0; font-size: 0.9rem; }}
a {{ color: {BLUE}; text-decoration: none; }}
a:hover, a:focus {{ text-decoration: underline; }}
section {{ margin: 34px 0; }}
h2 {{ font-size: 1.35rem; margin: 0 0 12px; line-height: 1.25; }}
h3 {{ font-size: 1rem; margin: 0 0 4px; line-height: 1.3; }}
.verdict {{ font-size: 1.3rem; line-height: 1.35; font-weight: 600; margin: 0 0 10px;
  max-width: 36em; }}
.reasons {{ margin: 0; padding-left: 1.2em; max-width: 62em; }}
.reasons li {{ margin-bottom: 6px; }}
.pair {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr));
  gap: 26px 36px; align-items: start; }}
.pair > * {{ min-width: 0; }}
figure {{ margin: 0 0 22px; min-width: 0; }}
figcaption, .note {{ color: {MUTED}; font-size: 0.85rem; margin: 4px 0 0; max-width: 62em; }}
.empty {{ color: {MUTED}; margin: 8px 0; }}
.chart {{ width: 100%; }}
.legend {{ display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; margin: 0;
  padding: 0; font-size: 0.85rem; }}
.key {{ display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px;
  vertical-align: -1px; }}
.scroll {{ overflow-x: auto; }}
.scroll:focus-visible {{ outline: 2px solid {BLUE}; outline-offset: 2px; }}
table {{ border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; font-weight: 600; padding: 0 0 6px; white-space: nowrap; }}
th, td {{ padding: 5px 10px; text-align: right; white-space: nowrap;
  border-bottom: 1px solid {GRID}; }}
thead th {{ color: {MUTED}; font-weight: 600; vertical-align: bottom; white-space: normal; }}
th:first-child {{ padding-left: 0; }}
tbody th {{ text-align: left; font-weight: 400; position: sticky; left: 0; background: #ffffff; }}
thead th:first-child {{ text-align: left; position: sticky; left: 0; background: #ffffff; }}
.figures td:first-of-type {{ font-weight: 600; }}
.months, .figures {{ width: 100%; }}
.months th, .months td {{ padding: 4px 5px; text-align: center; border: 2px solid #ffffff; }}
.months td:last-child {{ font-weight: 600; }}
.figures td {{ white-space: normal; }}
.scenarios td:last-child {{ white-space: normal; min-width: 17em; text-align: left; }}
.scenarios thead th:last-child, .trades thead th:nth-child(-n+3) {{ text-align: left; }}
.trades td:nth-of-type(-n+2) {{ text-align: left; }}
dl {{ display: grid; grid-template-columns: minmax(7em, max-content) 1fr; gap: 6px 18px; margin: 0;
  font-size: 0.9rem; max-width: 62em; }}
dt {{ color: {MUTED}; }}
dd {{ margin: 0; }}
footer {{ color: {MUTED}; font-size: 0.85rem; padding-bottom: 40px; }}
@media (max-width: 560px) {{
  body {{ font-size: 15px; }}
  header, main, nav, footer, .banner {{ padding-left: 14px; padding-right: 14px; }}
  h1 {{ font-size: 1.7rem; }}
  .verdict {{ font-size: 1.12rem; }}
  th, td {{ padding: 5px 7px; }}
  table {{ font-size: 0.82rem; }}
  .figures th, .figures td {{ white-space: normal; padding: 5px 4px; }}
  dl {{ grid-template-columns: 1fr; gap: 0; }}
  dd {{ margin-bottom: 8px; }}
}}
@media print {{ nav {{ display: none; }} section {{ break-inside: avoid; }} }}
"""
_SCRIPT = f"""
const sheet = JSON.parse(document.getElementById("tear-sheet-data").textContent);
const isTouch = window.matchMedia("(pointer: coarse)").matches;
for (const [name, figure] of Object.entries(sheet.figures)) {{
  for (const trace of figure.data) {{
    if (trace.x === "{SESSIONS}") trace.x = sheet.sessions;
  }}
  figure.layout.dragmode = isTouch ? false : "zoom";
  Plotly.newPlot("chart-" + name, figure.data, figure.layout,
    {{responsive: true, displayModeBar: false}});
}}
"""


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        title: Of the document.
        heading: The strategy.
        description: What it does.
        period: First and last session, and how many.
        is_simulated: Whether the page says that its data is simulated.
        contents: Name and title of each section, for the links on top.
        sections: HTML of the sections.
        charts: Charts that the sections have places for.
        sessions: Dates of lines over all sessions.
    """

    title: str
    heading: str
    description: str
    period: str
    is_simulated: bool
    contents: Mapping[str, str]
    sections: Sequence[str]
    charts: Sequence[Chart]
    sessions: Sequence[str]


def render(page: Page) -> bytes:
    """Return the page as one HTML file."""
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{text(page.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            _top(page),
            "<main>",
            *page.sections,
            "</main>",
            "<footer><p>Past results, real or simulated, do not tell future ones. In a chart, drag "
            "to zoom and click twice to see all again.</p><noscript><p>Charts need JavaScript; "
            "the tables do not.</p></noscript></footer>",
            f'<script type="application/json" id="tear-sheet-data">{_data(page)}</script>',
            f"<script>{get_plotlyjs()}</script>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n",
        )
    ).encode()


def _top(page: Page) -> str:
    links = "".join(
        f'<li><a href="#{text(name)}">{text(title)}</a></li>'
        for name, title in page.contents.items()
    )
    banner = (
        '<div class="banner" role="note"><p>Simulated data: these prices were generated. Nobody '
        "could have traded them.</p></div>\n"
        if page.is_simulated
        else ""
    )
    return (
        f'<header><p class="kicker">Tear sheet</p>\n<h1>{text(page.heading)}</h1>\n'
        f'<p class="lead">{text(page.description)}</p>\n<p class="period">{text(page.period)}</p>'
        f'</header>\n{banner}<nav aria-label="Sections"><ul>{links}</ul></nav>'
    )


def _data(page: Page) -> str:
    """Return sessions and figures as JSON that cannot end the script element it stands in."""
    figures = {
        chart.name: {"data": chart.data, "layout": chart.layout}
        for chart in page.charts
        if chart.data
    }
    content = {"sessions": list(page.sessions), "figures": figures}
    packed = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return packed.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
