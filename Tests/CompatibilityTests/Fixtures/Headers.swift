// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The headers that plugins and hosts of these tests are compiled against.
enum Headers {
    /// The checkout.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    static let current = root + "/Sources/CTrovePlugin/include"
    static let frozen = root + "/Tests/CompatibilityTests/Frozen"

    struct Missing: Error { var what: String }

    /// The headers as a release had them.
    static func released(_ version: String) -> String { "\(frozen)/\(version)/include" }

    /// Names of the headers in a folder, without drafts.
    static func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".h") }.sorted()
    }

    static func version(of folder: String) throws -> (major: Int, minor: Int) {
        let text = HeaderText(try String(contentsOfFile: folder + "/trove_plugin.h", encoding: .utf8))
        func number(_ name: String) throws -> Int {
            let prefix = "# define \(name) "
            guard let line = text.declarations.first(where: { $0.hasPrefix(prefix) }),
                let number = Int(line.dropFirst(prefix.count).filter { $0 != "u" })
            else { throw Missing(what: "\(name) in \(folder)/trove_plugin.h") }
            return number
        }
        return (try number("TROVE_ABI_MAJOR"), try number("TROVE_ABI_MINOR"))
    }

    /// A 1.1 as it may come: a second revision of the datastore beside the first, and one more status.
    static func minor(in directory: String) throws -> String {
        let folder = try copy(to: directory + "/1.1")
        try edit(
            folder + "/trove_plugin.h",
            [
                ("#define TROVE_ABI_MINOR 0u", "#define TROVE_ABI_MINOR 1u"),
                ("TROVE_PENDING = 13 ", "TROVE_PENDING = 13, TROVE_TOO_EARLY = 14 "),
            ])
        let second = """
            /* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
            #ifndef TROVE_DATASTORE_2_H
            #define TROVE_DATASTORE_2_H
            #include "trove_datastore.h"
            #define TROVE_EXT_DATASTORE_2 "trove.datastore/2"
            typedef struct trove_datastore_2 {
              uint32_t size, flags;
              trove_datastore_1 first; /* all of it as it was */
              trove_status (*rest)(void *self, trove_call *call, trove_str request); /* NULL: never rests */
            } trove_datastore_2;
            #endif

            """
        try second.write(toFile: folder + "/trove_datastore_2.h", atomically: true, encoding: .utf8)
        return folder
    }

    /// A 2.0 whose `trove_plugin_1` has one member more.
    static func major(in directory: String) throws -> String {
        let folder = try copy(to: directory + "/2.0")
        try edit(
            folder + "/trove_plugin.h",
            [
                ("#define TROVE_ABI_MAJOR 1u", "#define TROVE_ABI_MAJOR 2u"),
                ("} trove_plugin_1;", "  const char *vendor;\n} trove_plugin_1;"),
            ])
        return folder
    }

    private static func copy(to folder: String) throws -> String {
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.copyItem(atPath: released("1.0"), toPath: folder)
        return folder
    }

    private static func edit(_ path: String, _ edits: [(String, String)]) throws {
        var text = try String(contentsOfFile: path, encoding: .utf8)
        for (from, to) in edits {
            guard text.contains(from) else { throw Missing(what: "'\(from)' in \(path)") }
            text = text.replacingOccurrences(of: from, with: to)
        }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
