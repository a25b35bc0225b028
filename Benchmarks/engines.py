#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The engines that creates are measured with: how each is started leanly by hand, and one login to it."""
import ctypes
import os
import socket
import subprocess

from login import login as mariadb_login

UID = 64999
PASSWORD = "floor-secret"
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def as_engine(argv, **options):
    """Runs a program as the engine's user to its end."""
    subprocess.run(argv, check=True, user=UID, group=UID, extra_groups=[], **QUIET, **options)


class MariaDB:
    datastore, has_databases = "mariadb", True
    lean = [
        "--performance-schema=off", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M",
        "--aria-log-file-size=8M", "--key-buffer-size=1M", "--aria-pagecache-buffer-size=8M",
        "--table-open-cache=400", "--skip-name-resolve",
    ]

    def initialize(self, data):
        as_engine(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db", "--skip-name-resolve",
                   "--auth-root-authentication-method=normal", "--innodb-log-file-size=16M", "--aria-log-file-size=8M"])

    def command(self, data, address, scratch):
        init = os.path.join(scratch, "init.sql")
        with open(init, "w") as file:
            file.write(f"CREATE OR REPLACE USER 'bench'@'127.%' IDENTIFIED BY '{PASSWORD}';\n")
        os.chmod(init, 0o644)
        return ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", f"--bind-address={address}",
                f"--socket={data}/s.sock", f"--pid-file={data}/pid", f"--init-file={init}", *self.lean]

    def started(self, data):
        pass

    def login(self, address, user, password):
        mariadb_login(address, user, password)


class PostgreSQL:
    datastore, has_databases = "postgresql", True
    programs = "/usr/lib/postgresql/15/bin"
    library = None

    def initialize(self, data):
        # initdb wants a name for its uid; the wrapper gives it one.
        passwd = os.path.join("/run", f"trove-floor-passwd-{os.getpid()}")
        with open(passwd, "w") as file:
            file.write(f"floor:x:{UID}:{UID}::/:/bin/false\n")
        os.chmod(passwd, 0o644)
        try:
            as_engine([f"{self.programs}/initdb", "-D", f"{data}/d", "-U", "floor", "-A", "trust", "-N", "-E", "UTF8",
                       "--locale=C.UTF-8"],
                      env={"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": passwd,
                           "NSS_WRAPPER_GROUP": "/etc/group", "PATH": "/usr/bin:/bin"})
            with open(f"{data}/d/pg_hba.conf", "w") as file:
                file.write("local all all trust\nhost all all 127.0.0.0/8 scram-sha-256\n")
        finally:
            os.remove(passwd)

    def command(self, data, address, scratch):
        settings = {"listen_addresses": address, "unix_socket_directories": data, "shared_buffers": "32MB",
                    "max_connections": "50", "dynamic_shared_memory_type": "posix", "wal_level": "replica",
                    "logging_collector": "off", "autovacuum": "on"}
        return [f"{self.programs}/postgres", "-D", f"{data}/d"] + [
            word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _connect(self, text):
        if self.library is None:
            PostgreSQL.library = ctypes.CDLL("libpq.so.5")
            for name in ("PQconnectdb", "PQexec"):
                getattr(self.library, name).restype = ctypes.c_void_p
            self.library.PQerrorMessage.restype = ctypes.c_char_p
            for name in ("PQstatus", "PQfinish", "PQerrorMessage"):
                getattr(self.library, name).argtypes = [ctypes.c_void_p]
            self.library.PQexec.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
            self.library.PQclear.argtypes = self.library.PQresultStatus.argtypes = [ctypes.c_void_p]
        connection = self.library.PQconnectdb(text.encode())
        if self.library.PQstatus(connection) != 0:
            message = self.library.PQerrorMessage(connection).decode(errors="replace")
            self.library.PQfinish(connection)
            raise OSError(message)
        return connection

    def started(self, data):
        connection = self._connect(f"host={data} user=floor dbname=postgres")
        result = self.library.PQexec(connection, f"CREATE ROLE bench LOGIN PASSWORD '{PASSWORD}'".encode())
        status = self.library.PQresultStatus(result)
        self.library.PQclear(result)
        self.library.PQfinish(connection)
        if status != 1:
            raise OSError("the floor's role could not be made")

    def login(self, address, user, password, database=None):
        database = database or ("postgres" if password == PASSWORD else "bench")
        connection = self._connect(f"host={address} port=5432 user={user} password={password} dbname={database}")
        self.library.PQfinish(connection)


class Redis:
    datastore, has_databases = "redis", False

    def initialize(self, data):
        pass

    def command(self, data, address, scratch):
        config = os.path.join(scratch, "redis.conf")
        with open(config, "w") as file:
            file.write(f"bind {address}\nport 6379\ndir {data}\nsupervised systemd\ndaemonize no\nsave ''\n"
                       f"appendonly yes\nuser default off\nuser bench on >{PASSWORD} ~* +@all\n")
        os.chmod(config, 0o644)
        return ["/usr/bin/redis-server", config]

    def started(self, data):
        pass

    def login(self, address, user, password):
        with socket.create_connection((address, 6379), timeout=10) as connection:
            connection.sendall(f"AUTH {user} {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                part = connection.recv(256)
                if not part:
                    break
                answer += part
        if not answer.startswith(b"+OK\r\n+PONG"):
            raise OSError(f"Redis answered {answer.decode(errors='replace').strip()}")


ENGINES = {engine.datastore: engine for engine in (MariaDB(), PostgreSQL(), Redis())}
