"""The report: what people look at. Facts (the JSON), charts (Vega-Lite over these facts), and the page around them.

frames -> build -> facts -> charts, page
                     '----> report --json, and the data of the page's own charts
"""

SHOWN = ("pm25", "co")
"""The sensors that the report shows day by day."""
