// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Two plugins, one in Swift and one in C, that are mapped beside an engine and in the control plane.
enum BothRolesPlugins {
    static let swift = "org.example.both-swift"
    static let c = "org.example.both-c"

    /// Puts both into the home's plugins and names them for Redis, beside its own.
    static func install(in plane: ControlPlane) throws {
        let manifest = try String(contentsOfFile: Build.root + "/Tests/BothRolesPlugin/plugin.json", encoding: .utf8)
        try place(Build.folder + "/libTroveBothRoles.so", as: "both-swift", manifest, in: plane)
        let library = plane.home + "/both-c.so"
        let source = plane.home + "/both.c"
        try code.write(toFile: source, atomically: false, encoding: .utf8)
        try CPlugin.run([
            "/usr/bin/cc", "-std=gnu11", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Werror",
            "-I", Build.root + "/Sources/CTrovePlugin/include", "-I", Build.root + "/Plugins/SDK/c", "-o", library,
            source,
        ])
        try place(library, as: "both-c", manifestOfC, in: plane)
        try plane.configure(
            "datastores/redis.yaml",
            """
            datastore: redis
            default_version: "7.0"
            versions:
              - name: "7.0"
                plugin: org.trove.redis
                plugins: [\(swift), \(c)]
            """)
    }

    private static func place(
        _ library: String, as name: String, _ manifest: String, in plane: ControlPlane
    ) throws {
        let folder = plane.home + "/plugins/" + name
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: library, toPath: "\(folder)/\(name).so")
        let digest = try CPlugin.run(["/usr/bin/sha256sum", library]).prefix(64)
        let machine = try CPlugin.run(["/usr/bin/uname", "-m"]).trimmingCharacters(in: .whitespacesAndNewlines)
        try manifest.replacingOccurrences(of: "\"sha256\": \"\"", with: "\"sha256\": \"\(digest)\"")
            .replacingOccurrences(of: "linux-x86_64-gnu", with: "linux-\(machine)-gnu")
            .write(toFile: folder + "/plugin.json", atomically: false, encoding: .utf8)
    }
}
