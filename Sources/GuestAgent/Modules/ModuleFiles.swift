// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// The directory of the data volume where modules of type `file` are, one file each, of the agent's own.
///
/// The engine may write to the volume's root, so no link is followed on the way.
struct ModuleFiles: Sendable {
    static let directoryName = ".modules"
    /// The volume's root.
    let root: String

    /// The name of a module's file; nil when the module's name cannot be one. Anything but letters, digits, `.`, `_` and `-` becomes
    /// `_`.
    static func fileName(_ name: String) -> String? {
        let mapped = name.utf8.prefix(200).map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                byte
            default: UInt8(ascii: "_")
            }
        }
        let text = String(decoding: mapped, as: UTF8.self)
        return text.isEmpty || text.hasPrefix(".") ? nil : text
    }

    /// Replaces the file as a whole.
    ///
    /// - Parameter isSecret: Whether the engine may not read it.
    func write(_ bytes: [UInt8], _ name: String, isSecret: Bool) throws(GuestAgentError) {
        let directory = try open(make: true)
        guard directory >= 0 else { throw FileAccess.failure("open", path) }
        defer { close(directory) }
        let temporary = ".\(name).new"
        unlinkat(directory, temporary, 0)
        let file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw FileAccess.failure("write", path + "/" + name) }
        let isWritten =
            FileAccess.writeAll(bytes, to: file) && fchmod(file, isSecret ? 0o600 : 0o644) == 0 && fsync(file) == 0
        let reason = errno
        close(file)
        guard isWritten, renameat(directory, temporary, directory, name) == 0 else {
            let cause = isWritten ? errno : reason
            unlinkat(directory, temporary, 0)
            throw FileAccess.failure("write", path + "/" + name, cause)
        }
        fsync(directory)
    }

    /// What is gone already is fine.
    func remove(_ name: String) throws(GuestAgentError) {
        let directory = try open(make: false)
        guard directory >= 0 else { return }
        defer { close(directory) }
        guard unlinkat(directory, name, 0) == 0 || errno == ENOENT else {
            throw FileAccess.failure("remove", path + "/" + name)
        }
        fsync(directory)
    }

    private var path: String { root + "/" + Self.directoryName }

    /// - Returns: -1 when there is none and none is to be made.
    private func open(make: Bool) throws(GuestAgentError) -> Int32 {
        let volume = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard volume >= 0 else { throw FileAccess.failure("open", root) }
        defer { close(volume) }
        if make, mkdirat(volume, Self.directoryName, 0o755) != 0, errno != EEXIST {
            throw FileAccess.failure("make", path)
        }
        let directory = openat(volume, Self.directoryName, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard directory < 0 else {
            if make { fchmod(directory, 0o755) }
            return directory
        }
        guard errno == ENOENT, !make else { throw FileAccess.failure("open", path) }
        return -1
    }
}
