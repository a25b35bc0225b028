// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where this build's programs are.
enum Build {
    /// The checkout.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    /// The folder that holds the programs: the one that the test bundle runs from.
    static let folder: String = {
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(fileURLWithPath: executable).deletingLastPathComponent().path
        return FileManager.default.isExecutableFile(atPath: beside + "/trove") ? beside : root + "/.build/debug"
    }()

    static var configuration: String { folder.hasSuffix("/release") ? "release" : "debug" }
    static var trove: String { folder + "/trove" }
    static var sdk: String { folder + "/sdk" }

    /// A path with this build's `trove` first, as an operator has it.
    static var searchPath: [String: String] {
        ["PATH": folder + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")]
    }

    /// An empty directory outside the checkout.
    static func scratch() throws -> String {
        let path = "/tmp/trove-vendor-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }
}
