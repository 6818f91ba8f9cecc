"""The charts: Vega-Lite over the facts of a report, the same for the page and for pictures.

A chart knows where in the facts its columns lie, and not what they hold: the page makes one for each station out of
the same specification.
"""
