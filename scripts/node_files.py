# SPDX-License-Identifier: Apache-2.0
"""What private nodes are made of: passwords in files, free ports, certificates, initialised directories that are kept."""
import fcntl
import os
import random
import secrets
import shutil
import socket
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.environ.get("TROVE_NODES_CACHE", os.path.join(ROOT, ".build", "nodes-cache"))
HOST = "127.0.0.1"


class NodeError(Exception):
    """Why a node could not be started or commanded, in a sentence."""


class Ports:
    """Free ports below the kernel's range for outgoing connections, kept from other supervisors by locked files."""

    def __init__(self):
        self.folder = os.path.join(tempfile.gettempdir(), f"trove-node-ports-{os.getuid()}")
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.locks = []

    def take(self):
        for _ in range(2000):
            port = random.randrange(20000, 32000)
            lock = open(os.path.join(self.folder, str(port)), "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with socket.socket() as probe:
                    probe.bind((HOST, port))
            except OSError:
                lock.close()
                continue
            self.locks.append(lock)
            return port
        raise NodeError("no free port between 20000 and 32000")


def write_private(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return path


def make_password(path):
    """A password in a file that only its owner reads, made once; returns it."""
    if not os.path.exists(path):
        write_private(path, secrets.token_urlsafe(18) + "\n")
    with open(path) as file:
        return file.read().strip()


def run(arguments, what, **options):
    result = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        raise NodeError(f"{what} failed:\n" + "\n".join(result.stdout.splitlines()[-12:]))
    return result.stdout


def copy_tree(source, target):
    run(["cp", "-a", "--reflink=auto", source, target], f"copying {source}")


def cached(name, make):
    """The kept directory `name`, made by `make(path)` the first time; one maker at a time."""
    os.makedirs(CACHE, mode=0o700, exist_ok=True)
    final = os.path.join(CACHE, name)
    with open(os.path.join(CACHE, name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(final):
            making = tempfile.mkdtemp(prefix=name + ".new-", dir=CACHE)
            try:
                make(making)
                os.rename(making, final)
            except BaseException:
                shutil.rmtree(making, ignore_errors=True)
                raise
    return final


def make_authority(folder):
    """An own certificate authority, a server's certificate for 127.0.0.1 and localhost, and a client's; returns the paths."""
    os.makedirs(folder, mode=0o700)
    paths = {key: os.path.join(folder, name) for key, name in (
        ("ca_file", "ca.pem"), ("certificate_file", "server.pem"), ("key_file", "server.key"),
        ("client_certificate_file", "client.pem"), ("client_key_file", "client.key"))}
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-sha256"]
    authority = os.path.join(folder, "ca.key")
    run(["openssl", "req", "-x509", *new_key, "-keyout", authority, "-out", paths["ca_file"], "-subj", "/CN=private nodes",
         "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"], "openssl")
    for name, subject, extra in (
            ("server", "/CN=localhost", ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                                         "-addext", "extendedKeyUsage=serverAuth"]),
            ("client", "/CN=trove", ["-addext", "extendedKeyUsage=clientAuth"])):
        base = os.path.join(folder, name)
        run(["openssl", "req", "-x509", *new_key, "-CA", paths["ca_file"], "-CAkey", authority, "-keyout", base + ".key",
             "-out", base + ".pem", "-subj", subject, "-addext", "basicConstraints=critical,CA:FALSE", *extra], "openssl")
    for name in os.listdir(folder):
        os.chmod(os.path.join(folder, name), 0o600 if name.endswith(".key") else 0o644)
    return paths
