// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The rules of the tree, read off the files themselves.
@Suite("Architecture")
struct ArchitectureTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Which of our own modules each room may import; lower rooms first.
    private static let allowed: [String: Set<String>] = [
        "TrovePluginKit": ["CTrovePlugin"],
        "Model": [],
        "HTTPClient": ["CCurl"],
        "Client": ["Model", "HTTPClient", "CLinux"],
        "Telemetry": [],
        "PluginObjects": ["PluginHost", "ObjectStore"],
        "StateStore": ["Model", "CMariaDB", "CLinux"],
        "Messaging": ["Model", "CLinux", "CRabbitMQ", "COpenSSL"],
        "BrokerAccounts": ["Model", "HTTPClient", "COpenSSL"],
        "Policy": ["Model"],
        "Notifications": ["Model", "Messaging", "StateStore"],
        "Identity": ["Model", "StateStore", "HTTPClient", "COpenSSL"],
        "Compute": ["Model", "CLinux"],
        "ObjectStore": ["Model", "CZstd", "COpenSSL", "CLinux"],
        "KeyManager": ["Model", "StateStore", "ObjectStore", "HTTPClient", "COpenSSL"],
        "PluginHost": ["Model", "HTTPClient", "CFFI", "CTrovePlugin", "CLinux", "COpenSSL"],
        "Calls": ["Model", "Messaging"],
        "API": [
            "Model", "StateStore", "Identity", "KeyManager", "Policy", "Notifications", "PluginHost", "Calls",
            "Messaging",
            "CLinux",
        ],
        "TaskManager": [
            "Model", "StateStore", "Compute", "ObjectStore", "PluginHost", "Calls", "Messaging", "Notifications",
            "BrokerAccounts",
        ],
        "Conductor": ["Model", "StateStore", "Calls", "Messaging", "Notifications"],
        "GuestAgent": [
            "Model", "Messaging", "Calls", "ObjectStore", "PluginHost", "PluginObjects", "HTTPClient", "CLinux",
            "COpenSSL",
        ],
        "Conformance": ["Model", "PluginHost", "GuestAgent", "CTrovePlugin", "CLinux", "COpenSSL"],
        "trove": [
            "API", "TaskManager", "Conductor", "StateStore", "Messaging", "Identity", "Policy", "Notifications",
            "BrokerAccounts", "Compute", "ObjectStore", "KeyManager", "PluginHost", "PluginObjects", "Telemetry",
            "HTTPClient", "Conformance", "Calls", "Client", "Model", "CLinux",
        ],
        "trove-guest": ["GuestAgent", "PluginHost", "Messaging", "ObjectStore", "Calls", "Model", "CLinux"],
    ]

    private static let own = Set(allowed.keys).union([
        "CFFI", "CTrovePlugin", "CCurl", "CHiredis", "CLinux", "CMariaDB", "COpenSSL", "CPostgreSQL", "CRabbitMQ",
        "CZstd",
    ])

    /// Rooms that the guest agent links.
    private static let guestRooms = [
        "Model", "HTTPClient", "Messaging", "Calls", "ObjectStore", "PluginHost", "PluginObjects", "GuestAgent",
        "trove-guest",
        "TrovePluginKit",
    ]

    private static func files(_ folder: String, _ suffix: String) -> [URL] {
        let base = root.appendingPathComponent(folder)
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(suffix) }.sorted().map { base.appendingPathComponent($0) }
    }

    private static func imports(_ file: URL) throws -> [String] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let index = words.firstIndex(of: "import"), index <= 2, line.first != " ", words.count > index + 1
            else {
                return nil
            }
            return words.last.map { String($0.split(separator: ".")[0]) }
        }
    }

    @Test("imports point down only")
    func layers() throws {
        for (room, allowed) in Self.allowed {
            let files = Self.files("Sources/\(room)", ".swift")
            #expect(!files.isEmpty, "\(room) has no files")
            for file in files {
                for name in try Self.imports(file) where Self.own.contains(name) {
                    #expect(allowed.contains(name), "\(file.lastPathComponent) of \(room) imports \(name)")
                }
            }
        }
    }

    @Test("what the guest agent links stays small: no Foundation, no HTTP server, no state store")
    func guestLinkage() throws {
        for room in Self.guestRooms {
            for file in Self.files("Sources/\(room)", ".swift") {
                for name in try Self.imports(file) {
                    #expect(
                        !["Foundation", "NIOCore", "NIOPosix", "Hummingbird", "GRDB", "StateStore", "API"].contains(
                            name),
                        "\(file.lastPathComponent) of \(room) imports \(name)"
                    )
                }
            }
        }
    }

    @Test("no room knows an engine")
    func engines() throws {
        let words =
            #/\b((maria|my)(db|sql)d?|mariabackup|xtrabackup|xbstream|postgres(ql)?|redis|memcached|3306|5432|6379|11211)\b/#
            .ignoresCase()
        for room in Self.allowed.keys.sorted() where room != "StateStore" {
            for file in Self.files("Sources/\(room)", "") where !file.hasDirectoryPath {
                guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
                #expect(text.firstMatch(of: words) == nil, "\(file.path)")
            }
        }
    }

    @Test("files are short and carry their licence")
    func form() throws {
        let files = ["Sources", "Plugins"].flatMap { Self.files($0, ".swift") }
        var lengths: [Int] = []
        for file in files {
            let lines = try String(contentsOf: file, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false)
            lengths.append(lines.count)
            #expect(lines.prefix(2).contains { $0.contains("SPDX-License-Identifier") }, "\(file.path)")
            #expect(lines.count <= 1000, "\(file.path) has \(lines.count) lines")
        }
        lengths.sort()
        #expect(lengths[lengths.count / 2] <= 150, "the median is \(lengths[lengths.count / 2]) lines")
        #expect(lengths[lengths.count * 9 / 10] <= 450)
    }

    @Test("the plugin headers compile as C99, C11 and C++17")
    func headers() throws {
        for header in Self.files("Sources/CTrovePlugin/include", ".h") {
            for (compiler, language, standard) in [("gcc", "c", "c99"), ("gcc", "c", "c11"), ("g++", "c++", "c++17")] {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                process.arguments = [
                    compiler, "-x", language, "-std=\(standard)", "-Wall", "-Wextra", "-pedantic", "-Werror",
                    "-fsyntax-only", header.path,
                ]
                try process.run()
                process.waitUntilExit()
                #expect(process.terminationStatus == 0, "\(header.lastPathComponent) as \(standard)")
            }
        }
    }

    @Test("types are not named like their module, and no room is a drawer")
    func names() throws {
        for room in Self.allowed.keys {
            for file in Self.files("Sources/\(room)", ".swift") {
                for folder in ["Utils", "Common", "Helpers", "Shared", "Misc"] {
                    #expect(!file.path.contains("/\(folder)/"), "\(file.path)")
                }
            }
        }
    }
}
