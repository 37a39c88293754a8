"""The brief as one picture: how each section stands, and what is wanted from the next open on."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from odyssey_assets.core.chart_frame import Space, panel_frame, say_no_data
from odyssey_assets.core.figure_text import display_name, percent
from odyssey_assets.core.palette import BLUE, INK, MUTED, ORANGE, RED
from odyssey_assets.monitoring.brief.sections import CASH, PORTFOLIO, Brief, Section

_SEVERITY_COLORS = {"good": "#2e7d4f", "note": "#6b6b6b", "warning": ORANGE, "problem": RED}
_WRAP = 62
_SHOWN_LINES = 3
_SHOWN_TICKERS = 15


def brief_chart(brief: Brief) -> Figure:
    """Draw the brief: one block a section on the left, target weights on the right."""
    urgent = len(brief.urgent)
    figure, (left, right) = panel_frame(
        "Morning brief" if brief.session is None else f"Morning brief after {brief.session}",
        f"{urgent} {'line needs' if urgent == 1 else 'lines need'} a look",
        is_simulated=brief.is_simulated,
        space=Space(height=5.6, left=0.2, right=0.75, bottom=0.5),
        columns=(1.25, 1.0),
        gap=0.85,
    )
    _draw_sections(left, brief)
    _draw_weights(right, brief.section(PORTFOLIO))
    return figure


def _draw_sections(axes: Axes, brief: Brief) -> None:
    axes.set_axis_off()
    blocks = [(section, _wrapped(section)) for section in brief.sections]
    rows = sum(1 + len(lines) for _, lines in blocks)
    step = 1.0 / max(rows + 0.55 * len(blocks), 16.0)
    height = 1.0 - 0.5 * step
    for section, lines in blocks:
        color = _SEVERITY_COLORS[section.severity]
        axes.plot([0.012], [height], "o", color=color, ms=7, transform=axes.transAxes)
        axes.text(
            0.04, height, f"{section.title}: {section.severity}", transform=axes.transAxes,
            va="center", fontsize=9.5, fontweight="bold", color=INK,
        )  # fmt: skip
        for line in lines:
            height -= step
            axes.text(
                0.04, height, line, transform=axes.transAxes, va="center", fontsize=8.5, color=MUTED
            )
        height -= 1.55 * step


def _wrapped(section: Section) -> list[str]:
    lines = textwrap.wrap(section.summary, _WRAP)
    if len(lines) > _SHOWN_LINES:
        return [*lines[: _SHOWN_LINES - 1], lines[_SHOWN_LINES - 1] + " ..."]
    return lines


def _draw_weights(axes: Axes, section: Section) -> None:
    policies = [line.subject for line in section.policies]
    weights = {
        policy: {str(line.ticker): line.value or 0.0 for line in section.holdings(policy)}
        for policy in policies
    }
    wanted = {ticker for held in weights.values() for ticker in held if ticker != CASH}
    if not wanted:
        say_no_data(axes, "no policy wants to hold anything")
        return
    largest = {ticker: max(held.get(ticker, 0.0) for held in weights.values()) for ticker in wanted}
    shown = sorted(wanted, key=lambda ticker: (-largest[ticker], ticker))[:_SHOWN_TICKERS]
    names = [*shown, CASH]
    thickness = 0.8 / len(policies)
    for at, (policy, color) in enumerate(zip(policies, (BLUE, ORANGE), strict=False)):
        places = [row + (at - (len(policies) - 1) / 2) * thickness for row in range(len(names))]
        values = [weights[policy].get(name, 0.0) for name in names]
        bars = axes.barh(
            places, values, height=0.9 * thickness, color=color, label=display_name(policy)
        )
        labels = [percent(value) if value >= 5e-4 else "" for value in values]
        axes.bar_label(bars, labels=labels, padding=3, fontsize=7.5, color=MUTED)
    axes.set_yticks(range(len(names)), [*shown, "cash"])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("target share of equity")
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, fontsize=9,
        borderaxespad=0.2,
    )  # fmt: skip
