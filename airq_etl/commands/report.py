"""report: something to look at, one page that opens anywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from airq_etl import options
from airq_etl.commands import say
from airq_etl.commands.progress_bar import progress_bar
from airq_etl.errors import UsageError
from airq_etl.options import AsJson, Common, EndDate, StartDate, StationIds, with_common

if TYPE_CHECKING:
    from types import ModuleType

    from airq_etl.report.facts import Report
    from airq_etl.report.words import Words

DEFAULT = Path("airq-report.html")


@with_common
def report(  # noqa: PLR0913 -- the options of the command
    common: Common,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help=f"The page; {DEFAULT} by default, - is standard output."),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Each chart as a picture into this directory; no page unless with -o."),
    ] = None,
    station: StationIds = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    lang: Annotated[Literal["en", "fr"], typer.Option(help="The language of page and pictures.")] = "en",
    source: Annotated[Literal["tables", "store"], typer.Option(help="Where to read: data directory, or store.")] = (
        "tables"
    ),
    as_json: AsJson = False,
) -> None:
    """Make one HTML file to look at: no server, no internet, for screen, phone and paper.

    Nothing is changed, and a run may be at work. --json prints the numbers that it shows.

    Example: airq-etl report -o /var/www/html/air.html --lang fr
    """
    page = output or (None if png or as_json else DEFAULT)
    _refuse_at_odds(page, png, as_json=as_json)
    from airq_etl.pipeline.reporting.make import facts

    settings = options.settings(common)
    days = options.days(start_date, end_date, settings.clock())
    found = facts(settings, options.stations(station) or (), days, source)
    from airq_etl.report.words import Words

    said = [*_written(found, Words(lang), page), *_pictured(common, found, Words(lang), png)]
    if as_json:
        import msgspec

        say(msgspec.json.encode(found).decode())
    elif said and not common.quiet:
        say("\n".join(said))


def _written(found: "Report", words: "Words", page: Path | None) -> list[str]:
    if page is None:
        return []
    from airq_etl.status_words import bytes_text

    size = _writer().write_page(found, words, page)
    return [] if str(page) == "-" else [f"{page}: {bytes_text(size)}, {_extent(found)}; open it in a browser"]


def _pictured(common: Common, found: "Report", words: "Words", directory: Path | None) -> list[str]:
    if directory is None:
        return []
    writer = _writer()
    with progress_bar(common, "report", "charts") as progress:
        names = writer.write_pictures(found, words, directory, progress)
    return [f"{directory}: {len(names)} pictures, {_extent(found)}"]


def _writer() -> "ModuleType":
    try:
        from airq_etl.pipeline.reporting import write
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("airq_etl"):
            raise
        raise UsageError(
            f"a page or a picture needs {error.name}, which is not installed: "
            "pip install '.[report]', beside airq-etl; --json goes without"
        ) from error
    return write


def _extent(found: "Report") -> str:
    from airq_etl.sanity.wording import many

    days = f", {found.first_day} to {found.last_day}" if found.first_day else ""
    return f"{many(len(found.stations), 'station')}{days}"


def _refuse_at_odds(page: Path | None, png: Path | None, *, as_json: bool) -> None:
    """UsageError where options do not go together, or a file cannot be written where it is to be."""
    if str(page) == "-":
        if as_json or png:
            raise UsageError("-o - goes by itself: with --json or --png, name a file")
    elif page is not None:
        if not page.parent.is_dir():
            raise UsageError(f"-o {page}: there is no directory {page.parent}; make it first")
        if page.is_dir():
            raise UsageError(f"-o {page}: it is a directory; name a file in it")
    if png is not None and png.exists() and not png.is_dir():
        raise UsageError(f"--png {png}: it is no directory")
