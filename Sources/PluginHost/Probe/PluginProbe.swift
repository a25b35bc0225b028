// SPDX-License-Identifier: Apache-2.0

import CLinux
import CTrovePlugin
import Glibc
import Logging
import Model

/// The trial load of a library in a child process.
package enum PluginProbe {
    private static let settingsLimit = 1 << 20

    /// Maps a library, checks its table, initialises it and says what it is.
    ///
    /// Shape: one line of JSON on standard output, `{"id", "version", "abi", "provides": […]}`, or one line on standard
    /// error. A regular file as standard input holds the plugin's settings. Call it on the main thread of a process that
    /// does nothing else, and exit with the result: the plugin may have left anything behind.
    ///
    /// - Parameter file: Path of the library; only trust in it is the caller's own.
    /// - Returns: 0, or 1 for a library that is no usable plugin.
    package static func run(file: String) -> Int32 {
        _ = clinux_fault_install(-1)
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            report("\(file): \(SecureFile.reason("cannot be opened"))", to: STDERR_FILENO)
            return 1
        }
        do throws(PluginRefusal) {
            report(try describe(descriptor, file).text, to: STDOUT_FILENO)
            return 0
        } catch {
            report(error.message, to: STDERR_FILENO)
            return 1
        }
    }

    private static func describe(_ descriptor: Int32, _ file: String) throws(PluginRefusal) -> JSONValue {
        let text = ConstantText("under trial")
        _ = clinux_fault_enter(text.start)
        let image = try LibraryImage.open(descriptor, path: file, id: "under trial")
        var configuration = PluginHostConfiguration(
            directories: [], enabled: [], role: .control, probeCommand: [],
            logger: Logger(label: "trove.plugin", factory: { _ in SwiftLogNoOpLogHandler() }))
        configuration.settings[image.id] = settings()
        // The role that the library will have is not known here, so its init finds the services of all.
        let services = PluginRole.allCases.reduce(into: Set<String>()) { $0.formUnion($1.services) }
        let host = HostContext(id: image.id, configuration: configuration, services: services)
        let status = image.initialize(host.makeTable())
        guard status == Int32(TROVE_OK) else {
            let reason = PluginError.Code(status: status).map { "\($0)" } ?? "unknown status \(status)"
            throw PluginRefusal(path: file, id: image.id, cause: .initialization, message: "init failed: \(reason)")
        }
        let provided = ExtensionTables.known.filter { image.table($0) != nil }
        _ = try ExtensionTables(image, provides: provided, path: file)
        let table = image.plugin.pointee
        return .object([
            "id": .string(image.id), "version": .string(image.version),
            "abi": .string("\(table.abi_major).\(table.abi_minor)"),
            "provides": .array(provided.map(JSONValue.string)),
        ])
    }

    private static func settings() -> JSONValue {
        var info = stat()
        guard fstat(STDIN_FILENO, &info) == 0, info.st_mode & S_IFMT == S_IFREG,
            let bytes = SecureFile.contents(STDIN_FILENO, limit: settingsLimit),
            let value = try? JSONValue(parsing: bytes), value.objectValue != nil
        else { return .object([:]) }
        return value
    }

    private static func report(_ line: String, to descriptor: Int32) {
        let bytes = Array((line + "\n").utf8)
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            offset += count
        }
    }
}
