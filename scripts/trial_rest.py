# SPDX-License-Identifier: Apache-2.0
"""Bare calls to a trial's API: status, `Retry-After` and time, which clients hide."""
import http.client
import json
import ssl
import time
import urllib.parse
import urllib.request

from plane import PlaneError


def issue_token(variables):
    """A token that nobody has seen yet, for who an openrc names: (token, project id)."""
    user = {"name": variables["OS_USERNAME"], "domain": {"name": variables["OS_USER_DOMAIN_NAME"]},
            "password": variables["OS_PASSWORD"]}
    project = {"name": variables["OS_PROJECT_NAME"], "domain": {"name": variables["OS_PROJECT_DOMAIN_NAME"]}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}}
    request = urllib.request.Request(
        variables["OS_AUTH_URL"] + "/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"})
    context = ssl.create_default_context(cafile=variables["OS_CACERT"])
    with urllib.request.urlopen(request, timeout=60, context=context) as response:
        return response.headers["X-Subject-Token"], json.load(response)["token"]["project"]["id"]


class Answer:
    """What came back, and after how many seconds."""

    def __init__(self, response, seconds):
        self.status, self.seconds = response.status, seconds
        self.retry_after = response.headers.get("Retry-After")
        text = response.read()
        try:
            self.document = json.loads(text) if text else None
        except ValueError:
            self.document = None

    def __str__(self):
        return f"{self.status} after {self.seconds:.2f} s, Retry-After {self.retry_after}: {json.dumps(self.document)}"


class Caller:
    """A tenant with a token of its own. Each call has a connection of its own, unless it is given one."""

    def __init__(self, trial):
        self.token, self.project = issue_token(trial.space["openrc"])
        self.address = urllib.parse.urlsplit(trial.url)
        self.context = ssl.create_default_context(cafile=trial.nodes.document["ca_file"])

    def connection(self):
        return http.client.HTTPSConnection(self.address.hostname, self.address.port, timeout=60, context=self.context)

    def call(self, method, path, body=None, connection=None):
        began = time.monotonic()
        used = connection or self.connection()
        try:
            used.request(method, f"/v1.0/{self.project}{path}", json.dumps(body) if body else None, {
                "X-Auth-Token": self.token, "Accept": "application/json", "Content-Type": "application/json"})
            return Answer(used.getresponse(), time.monotonic() - began)
        except http.client.HTTPException as error:
            raise PlaneError(f"{method} {path} was not answered: {error!r}")
        finally:
            if not connection:
                used.close()

    def must(self, method, path, body=None, connection=None):
        answer = self.call(method, path, body, connection)
        if answer.status >= 300:
            raise PlaneError(f"{method} {path} was answered with {answer}")
        return answer

    def refused(self, method, path, body=None, connection=None):
        """A call whose dependency is away."""
        answer = self.call(method, path, body, connection)
        if answer.status != 503 or not (answer.retry_after or "").isdigit():
            raise PlaneError(f"{method} {path} should be refused with 503 and Retry-After: it was answered with {answer}")
        return answer
