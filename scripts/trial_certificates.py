# SPDX-License-Identifier: Apache-2.0
"""TLS of a trial's instance with a certificate that its tenant keeps in Barbican, its key behind a passphrase."""
import os
import secrets
import subprocess
import tempfile

from node_files import run
from plane import PlaneError
from trial_rest import Caller


class Certificates:
    """Stores a certificate with the unmodified client, has an instance serve with it, and asks the engine's own client."""

    def __init__(self, trial, client, name):
        self.client, self.name = client, name
        self.caller = Caller(trial)
        shown = client.ask(f"database instance show {name}")
        self.path = f"/instances/{shown['id']}"
        self.address = self.caller.must("GET", self.path).document["instance"]["ip"][0]

    def walk(self):
        """Returns the container's reference."""
        with tempfile.TemporaryDirectory(prefix="trove-certificates-") as folder:
            passphrase = self.make(folder)
            container = self.store(folder, passphrase)
            self.enable(container)
            self.client.run(f"database instance restart {self.name}")
            self.client.wait(f"database instance show {self.name}", "status", "ACTIVE", {"ERROR", "FAILED"})
            return container, self.cipher(os.path.join(folder, "ca.pem"))

    def make(self, folder):
        """An authority, and a certificate for the instance's address; returns the passphrase of its key."""
        passphrase = os.path.join(folder, "passphrase")
        with open(os.open(passphrase, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(16))
        new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"]
        run([*new, "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority of a trial", "-addext",
             "basicConstraints=critical,CA:TRUE"], "openssl", cwd=folder)
        run([*new, "-passout", "file:" + passphrase, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "leaf.key", "-out", "leaf.pem",
             "-subj", "/CN=" + self.name, "-addext", "subjectAltName=IP:" + self.address, "-addext",
             "basicConstraints=critical,CA:FALSE"], "openssl", cwd=folder)
        return passphrase

    def store(self, folder, passphrase):
        files = {"certificate": "leaf.pem", "private_key": "leaf.key", "intermediates": "ca.pem",
                 "private_key_passphrase": passphrase}
        members = ""
        for name, file in files.items():
            stored = self.client.ask(f"secret store --name {name} --file {os.path.join(folder, file)}")
            members += f" --secret {name}={stored['Secret href']}"
        return self.client.ask("secret container create --name trial --type certificate" + members)["Container href"]

    def enable(self, container):
        wish = {"enable": True, "mode": "basic", "container_ref": container}
        self.caller.must("POST", self.path + "/ssl", {"ssl": wish})
        elsewhere = dict(wish, container_ref="http://169.254.169.254/v1/containers/" + container[-36:])
        answer = self.caller.call("POST", self.path + "/ssl", {"ssl": elsewhere})
        if answer.status != 400:
            raise PlaneError(f"a reference to another host should be refused with 400: it was answered with {answer}")

    def cipher(self, authority):
        """What a client that trusts this authority alone speaks with the engine."""
        result = subprocess.run(
            ["mariadb", "--no-defaults", "-h", self.address, "-u", "clerk", "--ssl-ca=" + authority,
             "--ssl-verify-server-cert", "-N", "-B", "-e", "SHOW STATUS LIKE 'Ssl_cipher'"],
            env=dict(os.environ, MYSQL_PWD="s3cret-Clerk"), capture_output=True, text=True, timeout=60)
        cipher = result.stdout.split("\t")[-1].strip()
        if result.returncode or not cipher:
            raise PlaneError("the engine does not serve with the tenant's certificate: " + result.stderr.strip())
        return cipher
