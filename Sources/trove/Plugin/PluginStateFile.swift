// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import PluginHost

/// The file of the operator's decisions, changed by commands and by the worker one after the other.
struct PluginStateFile: Sendable {
    let path: String

    init(_ home: Home) { path = home.pluginState }

    /// What the file says; nothing decided without one. Blocks.
    func read() throws -> PluginState {
        guard Files.exists(path) else { return PluginState() }
        guard let bytes = Files.contents(path, limit: 16 << 20), let json = try? JSONValue(parsing: bytes) else {
            throw StartError("\(path): cannot be read as JSON; move it away to begin anew")
        }
        return try PluginState(json: json, path: path)
    }

    /// Changes the file under a lock, in one piece, with the next generation. Blocks.
    ///
    /// - Parameter body: Throws to leave everything as it is.
    /// - Returns: What the file says now.
    @discardableResult
    func update(_ body: (inout PluginState) throws -> Void) throws -> PluginState {
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            throw StartError("cannot open \(path).lock: \(String(cString: strerror(errno)))")
        }
        // Closing it gives the lock back.
        defer { close(lock) }
        let code = clinux_lock_file(lock)
        guard code == 0 else { throw StartError("cannot lock \(path).lock: \(String(cString: strerror(code)))") }
        let before = try read()
        var state = before
        try body(&state)
        guard state != before else { return state }
        state.generation += 1
        guard PrivateFile.write(state.json.serialized, to: path) else {
            throw StartError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        return state
    }
}
