# SPDX-License-Identifier: Apache-2.0
"""Who asks: HTTP with a token of their own, on one kept connection."""
import http.client
import json
import time
import urllib.parse

MISSING = "5e6f7a8b-0000-4000-8000-00000000dead"


class Caller:
    """One user of one project; `token` None asks without."""

    def __init__(self, url, project, token):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.project, self.token = project, token
        self.connection = None

    def send(self, method, path, body=None, headers=None):
        """Status, headers by lower-case names, body as bytes. A connection that the server closed is opened again."""
        sent = {"accept": "application/json", **({"x-auth-token": self.token} if self.token else {})}
        if body is not None:
            sent["content-type"] = "application/json"
        sent.update(headers or {})
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(*self.address, timeout=60)
                self.connection.request(method, path, body=body, headers=sent)
                response = self.connection.getresponse()
                return response.status, {name.lower(): text for name, text in response.getheaders()}, response.read()
            except (http.client.RemoteDisconnected, ConnectionError, http.client.CannotSendRequest):
                self.connection = None
                if attempt == 2:
                    raise

    def call(self, method, path, body=None):
        """A request below the project that must succeed; its document."""
        bytes_ = None if body is None else json.dumps(body).encode()
        status, _, answer = self.send(method, f"/v1.0/{self.project}{path}", bytes_)
        if status >= 300:
            raise LookupError(f"{method} {path} answered {status} {answer.decode(errors='replace')[:300]}")
        return json.loads(answer) if answer else None

    def status(self, path, key):
        """The member `status` of what is at `path`; None when it is gone."""
        status, _, answer = self.send("GET", f"/v1.0/{self.project}{path}")
        return json.loads(answer)[key]["status"] if status == 200 else None

    def wait(self, path, key, wanted, seconds=120):
        deadline = time.monotonic() + seconds
        last = None
        while time.monotonic() < deadline:
            last = self.status(path, key)
            if last == wanted:
                return
            if last in ("ERROR", "FAILED"):
                break
            time.sleep(0.05)
        raise LookupError(f"{path} is {last}, not {wanted}")
