#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The floor of a create: template image, loop device, mount, growth, a lean engine and a login, done directly.

Everything is a system call from this process (no helper programs), so that the floor is not flattered.
"""
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

from engines import PASSWORD, UID, QUIET

GIB = 1 << 30
_LIBC = ctypes.CDLL(None, use_errno=True)
LOOP_CTL_GET_FREE, LOOP_CONFIGURE, LOOP_CLR_FD = 0x4C82, 0x4C0A, 0x4C01
XFS_IOC_FSGROWFSDATA = 0x4010586E
MS_NOSUID, MS_NODEV, MS_NOATIME = 2, 4, 1024

def attach(image):
    with open("/dev/loop-control", "rb+", buffering=0) as control:
        number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
    device = f"/dev/loop{number}"
    with open(device, "rb+", buffering=0) as loop, open(image, "rb+", buffering=0) as backing:
        fcntl.ioctl(loop, LOOP_CONFIGURE, struct.pack("=II", backing.fileno(), 0) + bytes(232 + 64))
    return device


def detach(device):
    with open(device, "rb", buffering=0) as loop:
        fcntl.ioctl(loop, LOOP_CLR_FD, 0)


def mount(device, path):
    flags = MS_NOSUID | MS_NODEV | MS_NOATIME
    if _LIBC.mount(device.encode(), path.encode(), b"xfs", flags, b"nouuid") != 0:
        raise OSError(ctypes.get_errno(), f"mount {device}")


def unmount(path):
    deadline = time.monotonic() + 10
    while _LIBC.umount2(path.encode(), 0) != 0:
        if time.monotonic() > deadline:
            raise OSError(ctypes.get_errno(), f"umount {path}")
        time.sleep(0.01)


def grow(path, size):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, XFS_IOC_FSGROWFSDATA, struct.pack("=QII", size // 4096, 25, 0))
    finally:
        os.close(descriptor)


def copy_sparse(source, target):
    with open(source, "rb", buffering=0) as old, open(target, "wb", buffering=0) as new:
        size = os.fstat(old.fileno()).st_size
        os.ftruncate(new.fileno(), size)
        position = 0
        while position < size:
            try:
                start = os.lseek(old.fileno(), position, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(old.fileno(), start, os.SEEK_HOLE)
            while start < end:
                count = os.copy_file_range(old.fileno(), new.fileno(), end - start, start, start)
                start += count
            position = end


class Floor:
    """A lean engine on a grown copy of a template, in a folder of its own."""

    def __init__(self, folder, engine):
        self.folder, self.engine = folder, engine
        os.makedirs(folder, exist_ok=True)
        self.template = os.path.join(folder, "template.img")
        self.data = os.path.join("/run", f"trove-floor-{os.getpid()}")
        self.scratch = self.data + "-scratch"
        for path in (self.data, self.scratch):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o755)
        self._make_template()

    def _make_template(self):
        with open(self.template, "wb") as image:
            image.truncate(320 << 20)
        subprocess.run(["mkfs.xfs", "-q", "-f", "-K", self.template], check=True)
        device = attach(self.template)
        try:
            mount(device, self.data)
            try:
                os.chown(self.data, UID, UID)
                self.engine.initialize(self.data)
            finally:
                unmount(self.data)
        finally:
            detach(device)
        os.sync()

    def once(self, gib, address):
        """Seconds from nothing to a login on `address`."""
        image = os.path.join(self.folder, "volume.img")
        ready_path = f"\0trove-floor-{os.getpid()}"
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ready.bind(ready_path)
        ready.settimeout(60)
        process, device, mounted = None, None, False
        began = time.monotonic()
        try:
            copy_sparse(self.template, image)
            os.truncate(image, gib * GIB)
            device = attach(image)
            mount(device, self.data)
            mounted = True
            grow(self.data, gib * GIB)
            process = subprocess.Popen(
                self.engine.command(self.data, address, self.scratch), env={"NOTIFY_SOCKET": "@" + ready_path[1:]},
                user=UID, group=UID, extra_groups=[], **QUIET,
            )
            while b"READY=1" not in ready.recv(4096):
                pass
            self.engine.started(self.data)
            self.engine.login(address, "bench", PASSWORD)
            return time.monotonic() - began
        finally:
            ready.close()
            if process:
                process.send_signal(signal.SIGTERM)
                process.wait(60)
            if mounted:
                unmount(self.data)
            if device:
                detach(device)
            if os.path.exists(image):
                os.remove(image)

    def remove(self):
        for path in (self.folder, self.scratch):
            shutil.rmtree(path, ignore_errors=True)
        os.rmdir(self.data)
