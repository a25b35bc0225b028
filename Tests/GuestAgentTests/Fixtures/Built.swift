// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What tests compile: once for all of them, removed when the test process ends.
enum Built {
    static let directory: String = {
        var template = Array("/tmp/trove-guest-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { return "/nonexistent" }
        let path = String(cString: made)
        chmod(path, 0o755)
        atexit { try? FileManager.default.removeItem(atPath: Built.directory) }
        return path
    }()

    /// The small server.
    static let engine: String = {
        let path = directory + "/engine"
        compile(engineSource, to: path, [])
        return path
    }()

    /// A directory that holds the plugin's directory.
    static let plugins: String = {
        let root = directory + "/plugins"
        let own = root + "/files"
        try? FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        let library = own + "/files.so"
        compile(
            pluginSource, to: library,
            [
                "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,defs,-z,now", "-I",
                repository + "/Sources/CTrovePlugin/include",
            ])
        let sum = run("/usr/bin/sha256sum", [library]).prefix(64)
        #if arch(arm64)
            let platform = "linux-aarch64-gnu"
        #else
            let platform = "linux-x86_64-gnu"
        #endif
        let manifest = """
            {"manifest": 1, "id": "org.example.files", "version": "1.0.0", "summary": "Files as databases",
             "library": {"file": "files.so", "sha256": "\(sum)", "abi": "1.0", "platform": "\(platform)"},
             "roles": ["guest"], "provides": ["trove.datastore/1", "trove.backup/1", "trove.rpc-peer/1",
             "trove.tls/1"], "requires": ["trove.config/1"],
             "licence": "Apache-2.0"}
            """
        try? manifest.write(toFile: own + "/plugin.json", atomically: true, encoding: .utf8)
        return root
    }()

    static let repository = String(
        #filePath.prefix(#filePath.count - "/Tests/GuestAgentTests/Fixtures/Built.swift".count))

    /// The agent's program beside the tests.
    static let agent = repository + "/.build/debug/trove-guest"
    static let hasAgent = FileManager.default.isExecutableFile(atPath: agent)

    static func compile(_ source: String, to path: String, _ flags: [String]) {
        let file = path + ".c"
        try? source.write(toFile: file, atomically: true, encoding: .utf8)
        let said = run("/usr/bin/cc", ["-D_GNU_SOURCE", "-O1", "-o", path, file] + flags)
        if !FileManager.default.fileExists(atPath: path) { print("cc: \(said)") }
    }

    static func run(_ program: String, _ arguments: [String]) -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        do { try process.run() } catch { return "\(error)" }
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}
