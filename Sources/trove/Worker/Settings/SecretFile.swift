// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

extension SettingReader {
    /// The secret of a group: variable `TROVE_<GROUP>_<NAME>` (`state.password`: TROVE_STATE_PASSWORD), else the file that
    /// `<group>.<name>_file` names, without the line's end; nil without either.
    ///
    /// - Throws: `StartError` when the file cannot be read, is empty, or anybody on the host may read it.
    func secret(_ key: String) throws -> Secret? {
        if let text = Environment.value(Self.variable(key)) { return Secret(text) }
        guard let path = text(key + "_file") else { return nil }
        return try readSecret(path, key + "_file")
    }

    private func readSecret(_ path: String, _ key: String) throws -> Secret {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw error(key, "names \(path), which cannot be read: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & 0o007 == 0 else {
            throw error(key, "names \(path), which everybody may read; chmod 600 it")
        }
        guard let bytes = Files.contents(path, limit: 4096) else {
            throw error(key, "names \(path), which cannot be read or has more than 4096 bytes")
        }
        var text = String(decoding: bytes, as: UTF8.self)
        while let last = text.last, last.isNewline { text.removeLast() }
        guard !text.isEmpty else { throw error(key, "names \(path), which is empty") }
        return Secret(text)
    }
}
