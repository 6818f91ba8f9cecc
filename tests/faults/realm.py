"""A token endpoint whose refresh tokens rotate, each good for one use."""

import json

from tests.server import Reply, Request

HUSH = "hush"  # a part of every secret here
CREDENTIALS = {"client_secret": "hush-client", "refresh_token": "hush-refresh-0"}


class Realm:
    """Grants `hush-access-N` and `hush-refresh-N` for `hush-refresh-(N-1)` and the client's secret."""

    def __init__(self, expires_in: float = 300) -> None:
        self.granted = 0
        self.asked = 0
        self.expires_in = expires_in

    def grant(self, request: Request) -> Reply:
        """What the token endpoint answers."""
        self.asked += 1
        wanted = {"client_secret": "hush-client", "refresh_token": f"hush-refresh-{self.granted}"}
        if wanted.items() - request.form.items():
            return Reply(400, b'{"error": "invalid_grant"}')
        self.granted += 1
        tokens = {"access_token": f"hush-access-{self.granted}", "refresh_token": f"hush-refresh-{self.granted}"}
        return Reply(body=json.dumps(tokens | {"expires_in": self.expires_in}).encode())

    def opens(self, request: Request) -> bool:
        """Whether a request of the API bears the newest token."""
        return request.headers.get("Authorization") == f"Bearer hush-access-{self.granted}"
