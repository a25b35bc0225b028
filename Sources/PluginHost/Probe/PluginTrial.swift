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

    /// - Parameter library: Stays the caller's.
    /// - Throws: `PluginRefusal` with cause `probe` or `mismatch`.
    func run(_ library: VerifiedLibrary, _ candidate: PluginCandidate) throws(PluginRefusal) {
        let digest = library.sha256
        guard !configuration.probeCommand.isEmpty, !Self.passed.withLock({ $0.contains(digest) }) else { return }
        let known = ProbedDigests(
            directory: configuration.trust.probed, hostVersion: configuration.hostVersion)
        guard !known.contains(digest) else { return }
        _ = try describe(library, candidate)
        Self.passed.withLock { _ = $0.insert(digest) }
        known.add(digest)
    }

    /// Loads the library in a child now, whatever is remembered about it.
    ///
    /// - Returns: `{"id", "version", "abi", "provides"}` as the library says it.
    func describe(_ library: VerifiedLibrary, _ candidate: PluginCandidate) throws(PluginRefusal) -> JSONValue {
        try describe(library.file, path: candidate.libraryPath, id: candidate.manifest.id)
    }

    /// - Parameter id: Whose settings the library is given; nil: none.
    func describe(_ file: Int32, path: String, id: String?) throws(PluginRefusal) -> JSONValue {
        var child = ChildProcess(
            argv: configuration.probeCommand + ["/proc/self/fd/3"], deadline: .now + configuration.probeTimeout)
        // The child maps exactly the bytes that were hashed.
        child.extra = [file]
        child.environment["SWIFT_BACKTRACE"] = "enable=no"
        if let path = getenv("LD_LIBRARY_PATH") { child.environment["LD_LIBRARY_PATH"] = String(cString: path) }
        let settings = SettingsFile((id.flatMap { configuration.settings[$0] } ?? .object([:])).serialized)
        defer { settings.close() }
        child.input = settings.file
        let ending: ChildProcess.Ending
        switch child.run() {
        case .success(let value): ending = value
        case .failure(let failure):
            throw refuse(path, id, "the trial load cannot be started: \(failure.message)")
        }
        if ending.stopped != nil {
            throw refuse(path, id, "the trial load did not end within \(configuration.probeTimeout)")
        }
        if let signal = ending.signal {
            let name = Self.names[signal].map { " (\($0))" } ?? ""
            throw refuse(path, id, "the trial load ended with signal \(signal)\(name)\(Self.reason(ending))")
        }
        guard ending.exitStatus == 0 else {
            throw refuse(
                path, id, "the trial load failed with status \(ending.exitStatus ?? -1)\(Self.reason(ending))")
        }
        guard let found = try? JSONValue(parsing: ending.stdout), found["id"]?.stringValue != nil else {
            throw refuse(path, id, "the trial load ended without describing the plugin")
        }
        return found
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

    private func refuse(_ path: String, _ id: String?, _ message: String) -> PluginRefusal {
        PluginRefusal(path: path, id: id, cause: .probe, message: message)
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
