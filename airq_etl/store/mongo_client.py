"""A client of MongoDB from its URI, with bounds of time, and without the URI's password in any message."""

import logging
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pymongo
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from airq_etl.errors import StoreError, UsageError
from airq_etl.store import hosts

if TYPE_CHECKING:
    from airq_etl.documents import Document

log = logging.getLogger(__name__)

SERVER_SELECTION_MS = 5000
LONGEST_OPERATION_S = 60.0
LONGEST_CONNECT_S = 20.0


def client_of(uri: str, limit_s: float) -> "pymongo.MongoClient[Document]":
    """The client, whose operations end after `limit_s` at the latest.

    UsageError where the URI is none, StoreError where its hosts cannot be looked up.
    """
    # What the URI says goes before what we would say.
    given = {name.lower() for name, _ in parse_qsl(uri.partition("?")[2])}
    ours: dict[str, Any] = {
        "serverSelectionTimeoutMS": SERVER_SELECTION_MS,
        "connectTimeoutMS": int(min(limit_s, LONGEST_CONNECT_S) * 1000),
        "appName": "airq-etl",
    }
    # pymongo's own words may quote the URI, and with it the password.
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            client: pymongo.MongoClient[Document] = pymongo.MongoClient(
                uri,
                socketTimeoutMS=int(min(limit_s, LONGEST_OPERATION_S) * 1000),
                tz_aware=True,
                **{name: value for name, value in ours.items() if name.lower() not in given},
            )
    except ConfigurationError as error:
        if uri.startswith("mongodb+srv://") and not isinstance(error, InvalidURI):
            raise StoreError(f"MongoDB's host {hosts(uri)} cannot be looked up; see AIRQ_MONGODB_URI") from error
        raise _bad_uri() from error
    except (ValueError, OSError, PyMongoError) as error:
        raise _bad_uri() from error
    for warning in caught:
        log.warning("AIRQ_MONGODB_URI: %s", warning.message)
    return client


def _bad_uri() -> UsageError:
    return UsageError(
        "AIRQ_MONGODB_URI is no URI that MongoDB understands, or names a file that cannot be read; "
        "it looks like mongodb://host:27017/air_quality"
    )
