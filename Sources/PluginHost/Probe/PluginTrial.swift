// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Synchronization

/// Loads a library in a child first: a truncated file or an aborting constructor is then a message, not an outage.
struct PluginTrial {
    let configuration: PluginHostConfiguration

    /// Digests of libraries that have passed, for this process.
    private static let passed = Mutex<Set<String>>([])
    private static let reasonLimit = 600

    /// - Parameter file: Stays the caller's.
    /// - Throws: `PluginRefusal` with cause `probe` or `mismatch`.
    func run(_ file: Int32, _ candidate: PluginCandidate) throws(PluginRefusal) {
        let digest = candidate.manifest.library.sha256
        guard !configuration.probeCommand.isEmpty, !Self.passed.withLock({ $0.contains(digest) }) else { return }
        var child = ChildProcess(
            argv: configuration.probeCommand + ["/proc/self/fd/3"], deadline: .now + configuration.probeTimeout)
        // The child maps exactly the bytes that were hashed.
        child.extra = [file]
        child.environment["SWIFT_BACKTRACE"] = "enable=no"
        if let path = getenv("LD_LIBRARY_PATH") { child.environment["LD_LIBRARY_PATH"] = String(cString: path) }
        let settings = SettingsFile((configuration.settings[candidate.manifest.id] ?? .object([:])).serialized)
        defer { settings.close() }
        child.input = settings.file
        let ending: ChildProcess.Ending
        switch child.run() {
        case .success(let value): ending = value
        case .failure(let failure):
            throw refuse(candidate, "the trial load cannot be started: \(failure.message)")
        }
        if ending.stopped != nil {
            throw refuse(candidate, "the trial load did not end within \(configuration.probeTimeout)")
        }
        if let signal = ending.signal {
            let name = Self.names[signal].map { " (\($0))" } ?? ""
            throw refuse(candidate, "the trial load ended with signal \(signal)\(name)\(Self.reason(ending))")
        }
        guard ending.exitStatus == 0 else {
            throw refuse(
                candidate, "the trial load failed with status \(ending.exitStatus ?? -1)\(Self.reason(ending))")
        }
        guard let found = try? JSONValue(parsing: ending.stdout), found["id"]?.stringValue != nil else {
            throw refuse(candidate, "the trial load ended without describing the plugin")
        }
        Self.passed.withLock { _ = $0.insert(digest) }
    }

    private static let names: [Int32: String] = [
        SIGSEGV: "SIGSEGV", SIGBUS: "SIGBUS", SIGILL: "SIGILL", SIGABRT: "SIGABRT", SIGFPE: "SIGFPE",
        SIGTRAP: "SIGTRAP",
        SIGKILL: "SIGKILL",
    ]

    private static func reason(_ ending: ChildProcess.Ending) -> String {
        let text = String(decoding: ending.stderrTail.suffix(reasonLimit), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline)
        return lines.isEmpty ? "" : ": " + lines.joined(separator: "; ")
    }

    private func refuse(_ candidate: PluginCandidate, _ message: String) -> PluginRefusal {
        PluginRefusal(path: candidate.libraryPath, id: candidate.manifest.id, cause: .probe, message: message)
    }
}

/// The plugin's settings as a file without a name, for the child's standard input.
private struct SettingsFile {
    let file: Int32

    init(_ bytes: [UInt8]) {
        file = clinux_memfd("trove-plugin-settings")
        guard file >= 0 else { return }
        _ = pwrite(file, bytes, bytes.count, 0)
    }

    func close() { if file >= 0 { Glibc.close(file) } }
}
