"""Colours and type of the report, light and dark: in the page as CSS variables, in pictures as they are.

Classes of concentration go from faint to strong in one hue, and so do those of completeness; stations that are told
apart have the colours of Okabe and Ito, which colour-blind people can tell apart (jfly.uni-koeln.de/color).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

LIGHT: Mapping[str, str] = {
    "ink": "#1c2430",
    "muted": "#5b6675",
    "faint": "#d9dee5",
    "surface": "#ffffff",
    "ground": "#f4f6f8",
    "accent": "#1b6ca8",
    "band80": "#8fbfe0",
    "band95": "#cfe3f2",
    "who": "#b35c00",
    "eu": "#a3195b",
    "good": "#2f855a",
    "partial": "#955f00",
    "failed": "#c53030",
    "below": "#b7bcc4",
    **{
        f"step{n}": c
        for n, c in enumerate(
            ("#e3eff8", "#bfdcf0", "#93c4e5", "#5fa5d3", "#3583bb", "#1b629b", "#0f4578", "#0a2c52", "#05172e")
        )
    },
    **{f"full{n}": c for n, c in enumerate(("#f3d6d2", "#e9b384", "#e5d08a", "#9cc9b0", "#3f8f6b"))},
    **{f"station{n}": c for n, c in enumerate(("#0072b2", "#d55e00", "#009e73", "#b0579a", "#b07d00", "#3a3a3a"))},
}
DARK: Mapping[str, str] = {
    "ink": "#e8ecf1",
    "muted": "#a3adba",
    "faint": "#343d49",
    "surface": "#171c23",
    "ground": "#0f1318",
    "accent": "#6db5e8",
    "band80": "#2f6288",
    "band95": "#223f55",
    "who": "#f0a04b",
    "eu": "#f27ab0",
    "good": "#5cc08e",
    "partial": "#e5ac45",
    "failed": "#f07a72",
    "below": "#5a626d",
    **{
        f"step{n}": c
        for n, c in enumerate(
            ("#1d3448", "#1f4a6b", "#23628f", "#2f7fb5", "#4b9ad0", "#77b6e2", "#a5d0ef", "#cfe6f7", "#f2f9ff")
        )
    },
    **{f"full{n}": c for n, c in enumerate(("#5e2f2b", "#7d5326", "#7d6c2c", "#2f6b50", "#4fb487"))},
    **{f"station{n}": c for n, c in enumerate(("#56b4e9", "#ff8a47", "#2fcf9f", "#e08cc8", "#e6b93c", "#d0d0d0"))},
}
PAGE_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
PICTURE_FONT = "Liberation Sans, DejaVu Sans, Arial, sans-serif"


class Ink(NamedTuple):
    """What a chart is drawn with: its colours by name, its typeface, and what lies under it (None: the page)."""

    colours: Mapping[str, str]
    font: str
    background: str | None

    def __getattr__(self, name: str) -> str:
        """A colour by its name."""
        try:
            return self.colours[name]
        except KeyError:
            raise AttributeError(name) from None

    def series(self, name: str, count: int) -> list[str]:
        """The first colours of a series."""
        return [self.colours[f"{name}{number}"] for number in range(count)]

    def config(self) -> dict[str, Any]:
        """The configuration of Vega-Lite."""
        words = {"labelColor": self.muted, "titleColor": self.muted, "labelFontSize": 11, "titleFontSize": 11}
        words["titleFontWeight"] = "normal"
        line = {"domainColor": self.faint, "tickColor": self.faint, "gridColor": self.faint}
        return {
            "background": self.background,
            "font": self.font,
            "axis": words | line | {"labelOverlap": True},
            "legend": words | {"orient": "bottom", "symbolStrokeWidth": 2, "labelLimit": 260},
            "title": {"color": self.ink, "subtitleColor": self.muted, "anchor": "start", "fontSize": 15},
            "view": {"stroke": None},
            "text": {"color": self.muted, "fontSize": 11},
            # The chart as a whole has a name in the page; a thousand marks need none.
            "aria": False,
        }


PAGE = Ink({name: f"var(--{name})" for name in LIGHT}, PAGE_FONT, None)
PICTURE = Ink(LIGHT, PICTURE_FONT, LIGHT["surface"])


def css() -> str:
    """The variables of the page, by scheme; on paper the light ones."""
    light, dark = ("".join(f"--{name}:{colour};" for name, colour in colours.items()) for colours in (LIGHT, DARK))
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-scheme=light]){{{dark}}}}}"
        f"@media screen{{:root[data-scheme=dark]{{color-scheme:dark;{dark}}}"
        f":root[data-scheme=light]{{color-scheme:light}}}}"
    )
