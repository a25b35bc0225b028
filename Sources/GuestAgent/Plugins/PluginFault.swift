// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import PluginHost

/// Which fatal signal ended the last agent, and in whose code.
package struct PluginFault: Sendable, Hashable {
    package var signal: Int
    /// Empty when no plugin is to blame.
    package var pluginID: String
    /// Its version; nil when the report does not say.
    package var version: String?

    package init(signal: Int, pluginID: String, version: String? = nil) {
        self.signal = signal
        self.pluginID = pluginID
        self.version = version
    }

    /// `id`, or `id@version`.
    package var reference: String { version.map { "\(pluginID)@\($0)" } ?? pluginID }

    /// Reads what the last agent's handler left, removes it, and installs the handler of this one.
    ///
    /// Call it again after plugins are loaded: loading installs the handler too.
    ///
    /// - Returns: nil when the last agent did not trap.
    package static func takeOver(_ path: String) -> PluginFault? {
        let last = (try? FileAccess.read(path, limit: 4096)).flatMap { parse(String(decoding: $0, as: UTF8.self)) }
        install(path)
        return last
    }

    /// Makes the handler write to an empty file at `path`. The descriptor stays open for as long as the process lives.
    package static func install(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        _ = clinux_fault_install(descriptor)
    }

    /// `N <id@version>`, one line a signal; the first is the cause.
    static func parse(_ text: String) -> PluginFault? {
        guard let line = text.split(separator: "\n").first else { return nil }
        let words = line.split(separator: " ", maxSplits: 1)
        guard let number = words.first.flatMap({ Int($0) }) else { return nil }
        let reference = PluginReference(words.count > 1 ? String(words[1]) : "")
        return PluginFault(signal: number, pluginID: reference.id, version: reference.version)
    }
}
