# SPDX-License-Identifier: Apache-2.0
"""How a MariaDB, a RabbitMQ, a Keystone and a Barbican node are initialised, started and known to be ready."""
import base64
import ctypes
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from node_barbican import make_barbican
from node_files import HOST, ROOT, NodeError, cached, copy_tree, make_password, run, write_private
from node_keystone import PROJECTS, USERS, configure_keystone, make_keystone

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """In the child, before the program: the kernel kills it when the supervisor dies."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Node:
    """One server process with its folder, log and ports."""

    def __init__(self, name, folder, ports, tls, options):
        self.name, self.folder, self.tls, self.options = name, folder, tls, options
        os.makedirs(folder, mode=0o700)
        self.log = os.path.join(folder, name + ".log")
        self.process = None
        self.helpers = []
        self.choose_ports(ports)

    def path(self, name):
        return os.path.join(self.folder, name)

    def launch(self, arguments, environment=None):
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                arguments, env=dict(os.environ, **(environment or {})), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent, start_new_session=True, cwd=self.folder)

    def spawn(self):
        self.process = self.launch(*self.command())

    def wait_ready(self, seconds=90):
        deadline = time.monotonic() + seconds
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                what = "ended" if self.process.poll() is not None else f"was not ready within {seconds} s"
                raise NodeError(f"{self.name} {what}:\n{self.log_tail()}")
            time.sleep(0.03)

    def made_ready(self):
        """Once, after the first start of all nodes."""

    def log_tail(self):
        with open(self.log, errors="replace") as file:
            return "".join(file.readlines()[-15:])

    def signal(self, number):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self):
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            if self.process:
                self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def end_helpers(self):
        for helper in self.helpers:
            helper.kill()
            helper.wait()

    def state(self):
        if not self.process:
            return "not started"
        return "running" if self.process.poll() is None else "stopped"

    def account(self, user):
        """A user with its password's file, made at first use."""
        file = self.path(user + ".password")
        make_password(file)
        return {"user": user, "password_file": file}

    def password(self, user):
        return make_password(self.path(user + ".password"))

    def connects(self, port):
        try:
            with socket.create_connection((HOST, port), 1):
                return True
        except OSError:
            return False

    def answers(self, url, headers=None):
        """Whether GET is answered with 2xx; TLS is not verified here."""
        try:
            request = urllib.request.Request(url, headers=headers or {})
            with urllib.request.urlopen(request, timeout=10, context=ssl._create_unverified_context()):
                return True
        except (OSError, urllib.error.URLError):
            return False


class MariaDB(Node):
    """A server without fsync: it survives kill -9, not a power cut."""

    def choose_ports(self, ports):
        self.port = ports.take()

    def prepare(self):
        program = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        if not os.path.exists(program):
            raise NodeError("no mariadbd here; install mariadb-server-core (scripts/install-packages test)")
        self.program = program
        os.makedirs(self.path("tmp"), exist_ok=True)
        facts = os.stat(program)
        key = hashlib.sha256(f"{facts.st_size} {facts.st_mtime_ns} {os.getuid()} 1".encode()).hexdigest()[:12]
        copy_tree(cached("mariadb-" + key, self.install), self.path("data"))
        statements = [
            "CREATE DATABASE IF NOT EXISTS `trove` CHARACTER SET utf8mb3",
            f"CREATE OR REPLACE USER 'admin'@'%' IDENTIFIED BY '{self.password('admin')}'",
            "GRANT ALL PRIVILEGES ON *.* TO 'admin'@'%' WITH GRANT OPTION",
            f"CREATE OR REPLACE USER 'trove'@'%' IDENTIFIED BY '{self.password('trove')}'",
            "GRANT ALL PRIVILEGES ON `trove%`.* TO 'trove'@'%'",
        ]
        write_private(self.path("init.sql"), "".join(line + ";\n" for line in statements))

    def install(self, path):
        run(["mariadb-install-db", "--no-defaults", *self.as_user(), "--datadir=" + path, "--skip-test-db",
             "--auth-root-authentication-method=socket", "--auth-root-socket-user=root", "--innodb-log-file-size=16M"],
            "mariadb-install-db", cwd="/")

    def as_user(self):
        return ["--user=root"] if os.getuid() == 0 else []

    def command(self):
        tls = self.tls and ["--ssl-ca=" + self.tls["ca_file"], "--ssl-cert=" + self.tls["certificate_file"],
                            "--ssl-key=" + self.tls["key_file"]]
        return [[
            self.program, "--no-defaults", *self.as_user(), "--datadir=" + self.path("data"), "--socket=" + self.path("sock"),
            # Its own: a server that starts removes what it takes for temporary tables of its past, also those of others.
            "--tmpdir=" + self.path("tmp"), "--pid-file=" + self.path("pid"), "--bind-address=" + HOST, f"--port={self.port}",
            "--init-file=" + self.path("init.sql"),
            "--skip-name-resolve", "--performance-schema=off", "--character-set-server=utf8mb3", "--max-connections=400",
            "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=2",
            "--innodb-flush-method=nosync", "--innodb-doublewrite=0", "--key-buffer-size=1M", "--aria-pagecache-buffer-size=4M",
            *(tls or []), *self.options.mariadb_option]]

    def ready(self):
        try:
            with socket.create_connection((HOST, self.port), 1) as connection:
                connection.settimeout(1)
                return len(connection.recv(16)) > 4
        except OSError:
            return False

    def document(self):
        return {"host": HOST, "port": self.port, "socket": self.path("sock"), "database": "trove", "log": self.log,
                "admin": self.account("admin"), "trove": self.account("trove")}


class RabbitMQ(Node):
    """A broker with its own name, port mapper, cookie and management API; light on memory and schedulers."""

    PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"

    def choose_ports(self, ports):
        self.port, self.management, self.distribution, self.mapper = (ports.take() for _ in range(4))
        self.tls_port = ports.take() if self.tls else None

    def prepare(self):
        if not os.path.exists(self.PROGRAM):
            raise NodeError("no rabbitmq-server here; install it with scripts/install-packages test")
        home = self.path("home")
        os.makedirs(home)
        make_password(os.path.join(home, ".erlang.cookie"))
        os.chmod(os.path.join(home, ".erlang.cookie"), 0o400)
        write_private(self.path("enabled_plugins"), "[rabbitmq_management].\n")
        write_private(self.path("definitions.json"), json.dumps(self.definitions()))
        lines = [
            f"listeners.tcp.1 = {HOST}:{self.port}", "load_definitions = " + self.path("definitions.json"),
            "log.file.level = warning", "log.console = false", "vm_memory_high_watermark.absolute = 1GB",
            "disk_free_limit.absolute = 20MB", "management.rates_mode = none",
        ]
        place = "management.ssl" if self.tls else "management.tcp"
        lines += [f"{place}.ip = {HOST}", f"{place}.port = {self.management}"]
        if self.tls:
            lines.append(f"listeners.ssl.1 = {HOST}:{self.tls_port}")
            for prefix in ("ssl_options", "management.ssl"):
                lines += [f"{prefix}.cacertfile = {self.tls['ca_file']}", f"{prefix}.certfile = {self.tls['certificate_file']}",
                          f"{prefix}.keyfile = {self.tls['key_file']}"]
            lines += ["ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = false"]
        write_private(self.path("rabbitmq.conf"), "\n".join(lines) + "\n")
        self.helpers.append(self.launch(["epmd", "-address", HOST, "-port", str(self.mapper)]))

    def definitions(self):
        def user(name, tags):
            salt = os.urandom(4)
            digest = base64.b64encode(salt + hashlib.sha256(salt + self.password(name).encode()).digest()).decode()
            return {"name": name, "password_hash": digest, "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": tags}

        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        vhosts = ["/", "trove"]
        return {
            "rabbit_version": "3.10.8", "users": [user("admin", ["administrator"]), user("trove", [])],
            "vhosts": [{"name": name} for name in vhosts],
            "permissions": [dict(everything, user=user, vhost=vhost) for user in ("admin", "trove") for vhost in vhosts],
        }

    def control(self):
        """What `rabbitmqctl` needs to find the node."""
        return {"HOME": self.path("home"), "RABBITMQ_NODENAME": f"{self.name}@localhost", "ERL_EPMD_PORT": str(self.mapper),
                "RABBITMQ_CONF_ENV_FILE": self.path("none.conf")}

    def command(self):
        return [self.PROGRAM], dict(self.control(), **{
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_DIST_PORT": str(self.distribution), "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_MNESIA_BASE": self.path("mnesia"), "RABBITMQ_LOG_BASE": self.path("log"),
            "RABBITMQ_PID_FILE": self.path("pid"),
            "RABBITMQ_CONFIG_FILE": self.path("rabbitmq.conf"), "RABBITMQ_ENABLED_PLUGINS_FILE": self.path("enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +A 8 +sbwt none +sbwtdcpu none +sbwtdio none",
        })

    def url(self):
        return f"{'https' if self.tls else 'http'}://{HOST}:{self.management}"

    def ready(self):
        if not self.connects(self.port) or (self.tls and not self.connects(self.tls_port)):
            return False
        secret = base64.b64encode(f"admin:{self.password('admin')}".encode()).decode()
        return self.answers(self.url() + "/api/whoami", {"Authorization": "Basic " + secret})

    def log_tail(self):
        text = super().log_tail()
        folder = self.path("log")
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), errors="replace") as file:
                text += "".join(file.readlines()[-15:])
        return text

    def document(self):
        return {"host": HOST, "port": self.port, "tls_port": self.tls_port, "management_url": self.url(), "vhost": "trove",
                "log": self.path("log"), "environment": self.control(), "admin": self.account("admin"),
                "trove": self.account("trove")}


class Keystone(Node):
    """Keystone with Fernet tokens on SQLite, in one uWSGI process."""

    def choose_ports(self, ports):
        self.port = ports.take()

    def prepare(self):
        self.peers = os.path.join(ROOT, ".build", "peers", "bin")
        if not os.path.exists(self.peers + "/keystone-manage"):
            raise NodeError("no Keystone here; make it with scripts/peers")
        kept = cached("keystone-30.0.0-1", lambda path: make_keystone(path, self.peers))
        copy_tree(os.path.join(kept, "state"), self.path("state"))
        configure_keystone(self.folder, self.log, self.options.token_seconds)
        with sqlite3.connect(self.path("state/keystone.db")) as database:
            database.execute(
                "UPDATE endpoint SET url = ? WHERE service_id IN (SELECT id FROM service WHERE type = 'identity')", [self.url()])
        write_private(self.path("openrc"), "".join(f"export {key}={value}\n" for key, value in self.variables().items()))

    def variables(self):
        with open(self.path("state/admin.password")) as file:
            password = file.read().strip()
        values = {"OS_AUTH_URL": self.url(), "OS_IDENTITY_API_VERSION": "3", "OS_USERNAME": "admin", "OS_PASSWORD": password,
                  "OS_PROJECT_NAME": "admin", "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
                  "OS_REGION_NAME": "RegionOne"}
        return dict(values, OS_CACERT=self.tls["ca_file"]) if self.tls else values

    def url(self):
        return f"{'https' if self.tls else 'http'}://{HOST}:{self.port}/v3"

    def command(self):
        address = f"{HOST}:{self.port}"
        listen = ["--http-socket", address]
        if self.tls:
            listen = ["--https-socket", f"{address},{self.tls['certificate_file']},{self.tls['key_file']}"]
        return [
            self.peers + "/uwsgi", *listen, "--module", "keystone.wsgi.api:application", "--processes", "1", "--enable-threads",
            "--need-app", "--die-on-term", "--buffer-size", "65535", "--post-buffering", "8192", "--http-chunked-input",
            "--add-header", "Connection: close", "--disable-logging", "--listen", "100",
            "--env", "OS_KEYSTONE_CONFIG_DIR=" + self.folder], {"PYTHONWARNINGS": "ignore"}

    def ready(self):
        return self.connects(self.port) and self.answers(self.url())

    def document(self):
        accounts = {user: {"user": user, "password_file": self.path(f"state/{user}.password"), "project": project}
                    for user, (project, _) in USERS.items()}
        return dict(accounts, url=self.url(), region="RegionOne", projects=PROJECTS, openrc=self.path("openrc"), log=self.log)


class Barbican(Node):
    """Barbican on SQLite, in one uWSGI process; tokens are those of the supervisor's Keystone."""

    def choose_ports(self, ports):
        self.port = ports.take()

    def prepare(self):
        self.peers = os.path.join(ROOT, ".build", "peers", "bin")
        keystone = self.options.nodes.get("keystone")
        if not keystone:
            raise NodeError("a Barbican needs a Keystone beside it")
        place = {"url": keystone.url(), "password_file": keystone.path("state/trove.password")}
        if self.tls:
            place["ca_file"] = self.tls["ca_file"]
        self.pipeline = make_barbican(self.folder, self.peers, self.url(), place)

    def url(self):
        return f"{'https' if self.tls else 'http'}://{HOST}:{self.port}"

    def command(self):
        address = f"{HOST}:{self.port}"
        listen = ["--http-socket", address]
        if self.tls:
            listen = ["--https-socket", f"{address},{self.tls['certificate_file']},{self.tls['key_file']}"]
        return [
            self.peers + "/uwsgi", *listen, "--paste", "config:" + self.pipeline, "--processes", "1", "--enable-threads",
            "--need-app", "--die-on-term", "--buffer-size", "65535", "--post-buffering", "8192", "--http-chunked-input",
            "--add-header", "Connection: close", "--disable-logging", "--listen", "100"], {
                "PYTHONWARNINGS": "ignore", "HOME": self.path("home")}

    def ready(self):
        return self.connects(self.port) and self.answers(self.url() + "/healthcheck")

    def document(self):
        return {"url": self.url(), "log": self.log}


# In the order in which they are prepared.
KINDS = {"mariadb": MariaDB, "rabbitmq": RabbitMQ, "keystone": Keystone, "barbican": Barbican}
