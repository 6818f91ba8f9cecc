"""Superset for the tests: what it keeps lies in SUPERSET_HOME, and it answers without the token of a form."""

import os
import secrets
from pathlib import Path

HOME = Path(os.environ["SUPERSET_HOME"])
KEY = HOME / "secret_key"
if not KEY.exists():
    KEY.write_text(secrets.token_urlsafe(42), encoding="utf-8")
SECRET_KEY = KEY.read_text(encoding="utf-8")
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME / 'superset.db'}"
# Else it refuses SQLite.
PREVENT_UNSAFE_DB_CONNECTIONS = False
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
