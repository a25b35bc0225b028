# SPDX-License-Identifier: Apache-2.0
"""Certificates of the tests' own making, and containers of them in a key manager."""
import json
import os
import subprocess
import tempfile
import urllib.request

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-sha256"]


def texts(name="engine", address="127.0.0.1"):
    """PEM texts of a certificate, its key and its authority's certificate."""
    with tempfile.TemporaryDirectory() as folder:
        def path(file):
            return os.path.join(folder, file)

        def request(*arguments):
            subprocess.run(["openssl", "req", "-x509", *KEY, *arguments], check=True, capture_output=True)

        request("-subj", "/CN=authority", "-addext", "basicConstraints=critical,CA:TRUE",
                "-keyout", path("ca.key"), "-out", path("ca.pem"))
        request("-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName=IP:{address}",
                "-keyout", path("own.key"), "-out", path("own.pem"))
        found = []
        for file in ("own.pem", "own.key", "ca.pem"):
            with open(path(file)) as text:
                found.append(text.read())
        return tuple(found)


def endpoint(catalog):
    """The key manager's address with its version, from a token's catalogue."""
    entry = next(entry for entry in catalog if entry["type"] == "key-manager")
    url = next(item["url"] for item in entry["endpoints"] if item["interface"] == "public").rstrip("/")
    return url if url.endswith("/v1") else url + "/v1"


def container(base, token, context=None):
    """The reference of a new certificate container."""
    def post(path, body, member):
        request = urllib.request.Request(
            base + path, json.dumps(body).encode(),
            {"X-Auth-Token": token, "Content-Type": "application/json", "Accept": "application/json"})
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            return json.load(answer)[member]

    def secret(text):
        return post("/secrets", {"name": "part", "payload": text, "payload_content_type": "text/plain"}, "secret_ref")

    certificate, key, authority = texts()
    references = [("certificate", certificate), ("private_key", key), ("intermediates", authority)]
    return post(
        "/containers",
        {"type": "certificate", "name": "engine",
         "secret_refs": [{"name": name, "secret_ref": secret(text)} for name, text in references]}, "container_ref")
