// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the process writes to and asks.
package enum Terminal {
    /// Writes text to a descriptor whole.
    package static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // A reader that has gone, such as `head`, has what it wanted.
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Columns of a terminal; nil for anything else.
    package static func columns(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }

    /// Asks for a text at the terminal that controls the process, without showing it; nil without a terminal.
    package static func askSecretly(_ prompt: String) -> String? {
        let file = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var before = termios()
        guard tcgetattr(file, &before) == 0 else { return nil }
        var silent = before
        // Ctrl-C comes as a byte, so that it cannot leave a terminal that shows nothing.
        silent.c_lflag &= ~tcflag_t(ECHO | ISIG)
        guard tcsetattr(file, TCSAFLUSH, &silent) == 0 else { return nil }
        write(prompt, to: file)
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(file, &byte, 1) == 1, byte != UInt8(ascii: "\n"), byte != before.c_cc.0 { bytes.append(byte) }
        _ = tcsetattr(file, TCSAFLUSH, &before)
        write("\n", to: file)
        if byte == before.c_cc.0 { raise(SIGINT) }
        return String(validating: bytes, as: UTF8.self)
    }
}
