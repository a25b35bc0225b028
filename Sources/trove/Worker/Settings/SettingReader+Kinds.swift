// SPDX-License-Identifier: Apache-2.0

import Glibc
import HTTPClient

extension SettingReader {
    /// The path of a file that this process can read; nil without one.
    func file(_ key: String) throws -> String? {
        guard let path = text(key) else { return nil }
        guard access(path, R_OK) == 0 else {
            throw error(key, "names \(path), which cannot be read: \(String(cString: strerror(errno)))")
        }
        return path
    }

    /// Texts apart by commas; nil without any.
    func list(_ key: String) -> [String]? {
        let items = text(key)?.split(separator: ",").map { $0.trimmingSpaces }.filter { !$0.isEmpty }
        return items?.isEmpty == true ? nil : items
    }

    /// An `http` or `https` address without a slash at its end; nil without one.
    func webAddress(_ key: String) throws -> String? {
        guard var address = text(key) else { return nil }
        while address.hasSuffix("/") { address.removeLast() }
        do { _ = try HTTPAddress(address) } catch { throw self.error(key, error.message) }
        return address
    }
}

extension Substring {
    /// Without white space at its ends.
    var trimmingSpaces: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
