// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The control plane's directory on this host, and what lies where in it (docs/architecture.md).
struct Home: Sendable {
    /// Absolute.
    let path: String

    init(path: String) {
        guard !path.hasPrefix("/") else {
            self.path = Self.clean(path)
            return
        }
        self.path = Self.clean(Files.currentDirectory + "/" + path)
    }

    var secrets: String { path + "/secrets" }
    var state: String { path + "/state" }
    var database: String { state + "/trove.db" }
    var lock: String { state + "/serve.lock" }
    /// One locked file a process that serves some of the roles.
    var roles: String { state + "/roles" }
    var backups: String { path + "/backups" }
    var plugins: String { path + "/plugins" }
    /// Plugins' own objects, by plugin and project.
    var pluginObjects: String { path + "/plugin-objects" }
    /// Published logs of engines, by container and project.
    var logObjects: String { path + "/log-objects" }
    /// One directory `id@version` a plugin that 'trove plugin install' put there.
    var installedPlugins: String { plugins + "/installed" }
    /// Reports of the conformance kit that are on record.
    var pluginReports: String { plugins + "/reports" }
    /// Digests of libraries whose trial load went well.
    var probedPlugins: String { plugins + "/probed" }
    /// What the operator decided about plugins.
    var pluginState: String { plugins + "/state.json" }
    /// What the worker made of it.
    var pluginStatus: String { plugins + "/status.json" }
    /// The same of one of several processes.
    func pluginStatus(of parent: Int32) -> String { plugins + "/status-\(parent).json" }
    var trustedKeys: String { configuration + "/trust" }
    var configuration: String { path + "/config" }

    /// Makes the directories with their modes. Idempotent.
    func prepare() throws {
        try Self.makeDirectory(path, mode: 0o711)
        for directory in [secrets, state, backups, plugins, installedPlugins] {
            try Self.makeDirectory(directory, mode: 0o700)
        }
    }

    private static func makeDirectory(_ path: String, mode: mode_t) throws {
        if mkdir(path, mode) != 0, errno != EEXIST {
            throw StartError("cannot make the directory \(path): \(String(cString: strerror(errno)))")
        }
        guard chmod(path, mode) == 0 else {
            throw StartError("cannot set the mode of \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Without `.`, `..` and doubled slashes.
    private static func clean(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// Why a command cannot start: printed as it is, with exit code 78 where the configuration is at fault.
struct StartError: Error, CustomStringConvertible {
    var message: String

    init(_ message: String) { self.message = message }

    var description: String { message }
}
