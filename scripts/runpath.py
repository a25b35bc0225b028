#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sets the run path of a 64-bit ELF program in place: scripts/runpath.py RUNPATH FILE…

The new run path must not be longer than the one that the linker wrote, whose place it takes.
"""
import struct
import sys

PT_LOAD, PT_DYNAMIC, DT_STRTAB, DT_RUNPATH = 1, 2, 5, 29


def offset_of(segments, address):
    for kind, offset, start, size in segments:
        if kind == PT_LOAD and start <= address < start + size:
            return offset + address - start
    raise ValueError("an address lies in no segment")


def set_run_path(path, value):
    with open(path, "r+b") as file:
        data = file.read()
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not a 64-bit little-endian ELF file")
        (table,), (size, count) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<HH", data, 54)
        segments = []
        for index in range(count):
            kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", data, table + index * size)
            segments.append((kind, offset, address, length))
        entries = {}
        for kind, offset, _, length in segments:
            if kind == PT_DYNAMIC:
                entries = dict(struct.iter_unpack("<QQ", data[offset:offset + length // 16 * 16]))
        if DT_RUNPATH not in entries:
            raise ValueError("has no run path")
        place = offset_of(segments, entries[DT_STRTAB]) + entries[DT_RUNPATH]
        room = data.index(b"\0", place) - place
        if len(value) > room:
            raise ValueError(f"its run path has only {room} bytes")
        file.seek(place)
        file.write(value.encode().ljust(room, b"\0"))


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: scripts/runpath.py RUNPATH FILE…")
    for path in sys.argv[2:]:
        try:
            set_run_path(path, sys.argv[1])
        except (OSError, ValueError, struct.error) as error:
            sys.exit(f"runpath: {path}: {error}")


if __name__ == "__main__":
    main()
