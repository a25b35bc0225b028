#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One login over the engine's own protocol, through the client library, without starting a program."""
import ctypes

_LIBRARY = ctypes.CDLL("libmariadb.so.3")
_LIBRARY.mysql_init.restype = ctypes.c_void_p
_LIBRARY.mysql_real_connect.restype = ctypes.c_void_p
_LIBRARY.mysql_real_connect.argtypes = [
    ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint,
    ctypes.c_char_p, ctypes.c_ulong,
]
_LIBRARY.mysql_error.restype = ctypes.c_char_p
_LIBRARY.mysql_error.argtypes = [ctypes.c_void_p]
_LIBRARY.mysql_close.argtypes = [ctypes.c_void_p]


def login(address, user, password, port=3306):
    """Connects and disconnects; raises OSError with the library's sentence when it is refused."""
    handle = _LIBRARY.mysql_init(None)
    try:
        connected = _LIBRARY.mysql_real_connect(
            handle, address.encode(), user.encode(), password.encode(), None, port, None, 0
        )
        if not connected:
            raise OSError(_LIBRARY.mysql_error(handle).decode(errors="replace"))
    finally:
        _LIBRARY.mysql_close(handle)
