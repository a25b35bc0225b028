// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The files that came with this program, found relative to it: in a build folder or below an install prefix.
struct Installation: Sendable {
    /// The running executable, symbolic links resolved.
    let executable: String
    /// Folder of the sample configuration (`flavors.yaml`, `plugins.yaml`, `datastores/`).
    let configuration: String
    /// Folder of the plugins that came with the program.
    let plugins: String
    let guestExecutable: String

    init() throws {
        executable = try Self.ownPath()
        let folder = Self.parent(executable)
        guestExecutable = folder + "/trove-guest"
        guard access(guestExecutable, X_OK) == 0 else {
            throw StartError("the guest agent \(guestExecutable) is missing; build it with 'make build'")
        }
        if access(Self.parent(folder) + "/share/trove/config/flavors.yaml", R_OK) == 0 {
            configuration = Self.parent(folder) + "/share/trove/config"
            plugins = Self.parent(folder) + "/lib/trove/plugins"
        } else {
            plugins = folder + "/plugins"
            configuration = try Self.checkout(above: folder) + "/Config"
        }
    }

    /// The running executable, symbolic links resolved.
    static func ownPath() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { throw StartError("cannot find this program's own path in /proc") }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The checkout that a build folder lies in.
    private static func checkout(above folder: String) throws -> String {
        var candidate = folder
        while candidate.count > 1 {
            if access(candidate + "/Config/flavors.yaml", R_OK) == 0 { return candidate }
            candidate = parent(candidate)
        }
        throw StartError("no configuration found beside \(folder); install with 'make install PREFIX=…'")
    }

    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
