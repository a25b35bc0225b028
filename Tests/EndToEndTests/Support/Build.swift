// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where this build's programs are, and what the host has.
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

    static var trove: String { folder + "/trove" }
    static var openstack: String { root + "/.build/clients/bin/openstack" }
    static let isRoot = getuid() == 0
}
