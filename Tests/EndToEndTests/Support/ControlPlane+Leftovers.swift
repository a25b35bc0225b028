// SPDX-License-Identifier: Apache-2.0

import Foundation

extension ControlPlane {
    /// What of this home is on the host outside its own folder: mounts, loop devices, processes, claims.
    func leftovers() throws -> [String] { try Self.leftovers(of: home) }

    /// The same of any home.
    static func leftovers(of home: String) throws -> [String] {
        let mounts = try kernelFile("/proc/self/mountinfo").split(separator: "\n")
            .filter { $0.contains(home) }.map { "mount \($0.split(separator: " ")[4])" }
        let loops = try FileManager.default.contentsOfDirectory(atPath: "/sys/block").filter { name in
            let file = try? String(contentsOfFile: "/sys/block/\(name)/loop/backing_file", encoding: .utf8)
            return file?.hasPrefix(home) ?? false
        }
        let processes = processes(mentioning: home).map { "process \($0)" }
        let run = ProcessInfo.processInfo.environment["TROVE_RUN_DIR"] ?? (Build.isRoot ? "/run/trove" : "/tmp")
        let claims = (FileManager.default.enumerator(atPath: run + "/claims")?.compactMap { $0 as? String } ?? [])
            .filter { name in
                let text = try? String(contentsOfFile: "\(run)/claims/\(name)", encoding: .utf8)
                return text?.contains(home) ?? false
            }
        return mounts + loops.map { "loop device \($0)" } + processes + claims.map { "claim \($0)" }
    }
}
