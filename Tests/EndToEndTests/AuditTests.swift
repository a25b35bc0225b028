// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    @Suite("trove audit", .serialized)
    struct AuditTests {
        /// An instance that nobody knows, and an address that nobody has: the shape's own, for both are tested beside each other.
        private static let nobody =
            "0dd0dd0d-0000-4000-8000-00000000000" + (Shape.current == .embedded ? "0" : "1")
        private static let nowhere = "127.20.255." + (Shape.current == .embedded ? "254" : "253")

        @Test(
            "names each stray and each missing thing, and nothing else",
            .enabled(if: Build.isRoot, "mounts and loop devices need root"), .timeLimit(.minutes(10))
        )
        func strayAndMissing() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let id = try await client.create(name: "owned")
                try await client.wait(id, for: "ACTIVE")
                let answer = try await client.must(
                    "POST", "/backups", ["backup": ["name": "b", "instance": .string(id)]])
                let backup = try #require(answer["backup"]?["id"]?.stringValue)
                try await client.waitBackup(backup, for: "COMPLETED")
                try await clean(plane)

                try await strayObject(plane, client: client)
                try await strayMountAndLoop(plane)
                try await strayClaim(plane)
                try await strayCgroupAndProcess(plane, id: id)
                try await clean(plane)

                // With the control plane down nobody mends what is taken away.
                try await plane.stop()
                try await clean(plane)
                try await missing(plane, id: id, backup: backup)
                try await missingServer(plane, id: id)

                // The next start brings back what a live instance needs.
                try await plane.start()
                let again = try await RESTClient.login(plane)
                try await eventually(60, "the instance is mended") {
                    let shown = try await again.must("GET", "/instances/\(id)")["instance"]
                    return try await again.call("GET", "/instances/\(id)/databases").status == 200
                        && shown?["operating_status"] == "HEALTHY"
                }
                try await clean(plane)
                try await again.must("DELETE", "/backups/\(backup)")
                try await again.delete(id)
                try await clean(plane)
            }
        }

        private func clean(_ plane: ControlPlane) async throws {
            let audit = try await plane.trove(["audit"])
            #expect(audit.status == 0, "\(audit.output)\(audit.errors)")
        }

        private func expectFinding(_ plane: ControlPlane, _ verdict: String, _ kind: String, _ tag: String) async throws
        {
            let audit = try await plane.trove(["audit", "--json"])
            #expect(audit.status == 1, "\(verdict) \(kind) \(tag)")
            let findings = try JSONValue(parsing: audit.output).arrayValue ?? []
            #expect(
                findings.contains {
                    $0["finding"]?.stringValue == verdict && $0["kind"]?.stringValue == kind
                        && ($0["tag"]?.stringValue ?? "").contains(tag)
                }, "\(verdict) \(kind) \(tag) in \(audit.output)"
            )
        }

        private func strayObject(_ plane: ControlPlane, client: RESTClient) async throws {
            let folder = "\(plane.home)/backups/\(client.project)"
            let path = "\(folder)/\(Self.nobody)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data("stray".utf8).write(to: URL(fileURLWithPath: path))
            try await expectFinding(plane, "stray", "object", Self.nobody)
            try FileManager.default.removeItem(atPath: path)
        }

        private func strayMountAndLoop(_ plane: ControlPlane) async throws {
            let image = "\(plane.home)/instances/\(Self.nobody)/volume.img"
            let folder = URL(fileURLWithPath: image).deletingLastPathComponent().path
            let mount = (Self.runDirectory) + "/i/\(Self.nobody)/data"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
            try await must(["/usr/bin/truncate", "-s", "320M", image])
            try await must(["/usr/sbin/mkfs.xfs", "-q", image])
            let device = try await Command.run(["/usr/sbin/losetup", "--show", "-f", image]).output
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try await must(["/usr/bin/mount", device, mount])
            try await expectFinding(plane, "stray", "mount", Self.nobody)
            try await expectFinding(plane, "stray", "loop", Self.nobody)
            try await expectFinding(plane, "stray", "image", Self.nobody)
            try await must(["/usr/bin/umount", mount])
            try await must(["/usr/sbin/losetup", "-d", device])
            try FileManager.default.removeItem(atPath: folder)
            try FileManager.default.removeItem(atPath: URL(fileURLWithPath: mount).deletingLastPathComponent().path)
        }

        private func strayClaim(_ plane: ControlPlane) async throws {
            let folder = Self.runDirectory + "/claims/address"
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("127.") }
            let known = try #require(
                try names.first { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8).contains(plane.home) }
            )
            let text = try String(contentsOfFile: "\(folder)/\(known)", encoding: .utf8)
            let stray = "\(folder)/\(Self.nowhere)"
            try text.write(toFile: stray, atomically: false, encoding: .utf8)
            try await expectFinding(plane, "stray", "address", Self.nowhere)
            try FileManager.default.removeItem(atPath: stray)
        }

        private func strayCgroupAndProcess(_ plane: ControlPlane, id: String) async throws {
            let group = try #require(Self.groups(id).last)
            let stray =
                URL(fileURLWithPath: group).deletingLastPathComponent().path + "/" + Self.nobody
            try FileManager.default.createDirectory(atPath: stray, withIntermediateDirectories: false)
            try await expectFinding(plane, "stray", "cgroup", Self.nobody)
            try await must(["/usr/bin/rmdir", stray])
            // A second agent-like process of this home, for an instance that nobody knows.
            let config = "\(plane.home)/instances/\(Self.nobody)/guest.json"
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            process.arguments = ["-c", "import time; time.sleep(300)", "--config", config]
            try process.run()
            defer {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            try await expectFinding(plane, "stray", "process", Self.nobody)
        }

        private func missing(_ plane: ControlPlane, id: String, backup: String) async throws {
            let object = try #require(
                FileManager.default.enumerator(atPath: "\(plane.home)/backups")?.compactMap { $0 as? String }
                    .first { $0.hasSuffix(backup) }
            )
            let path = "\(plane.home)/backups/\(object)"
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            try await expectFinding(plane, "missing", "object", backup)
            try FileManager.default.moveItem(atPath: path + ".away", toPath: path)

            let claims = Self.runDirectory + "/claims/address"
            let claim = try #require(
                try FileManager.default.contentsOfDirectory(atPath: claims).first {
                    try String(contentsOfFile: "\(claims)/\($0)", encoding: .utf8).contains(id)
                }
            )
            let text = try String(contentsOfFile: "\(claims)/\(claim)", encoding: .utf8)
            try FileManager.default.removeItem(atPath: "\(claims)/\(claim)")
            try await expectFinding(plane, "missing", "address", id)
            try text.write(toFile: "\(claims)/\(claim)", atomically: false, encoding: .utf8)
        }

        /// Takes agent, engine, control groups, mount and loop device away, one after the other.
        private func missingServer(_ plane: ControlPlane, id: String) async throws {
            let agent = try #require(plane.agent(of: id))
            let engine = try #require(plane.engine(of: id))
            kill(agent, SIGKILL)
            try await eventually(10, "the agent is gone") { Self.isGone(agent) }
            try await expectFinding(plane, "missing", "process", id)
            kill(engine, SIGKILL)
            try await eventually(10, "the engine is gone") { Self.isGone(engine) }
            try await expectFinding(plane, "missing", "engine", id)
            for group in Self.groups(id) { try await must(["/usr/bin/rmdir", group]) }
            try await expectFinding(plane, "missing", "cgroup", id)
            try await must(["/usr/bin/umount", Self.runDirectory + "/i/\(id)/data"])
            try await expectFinding(plane, "missing", "mount", id)
            // Unmounting lets go of a device that was set to clear itself; one that is left is detached here.
            let image = "\(plane.home)/instances/\(id)/volume.img"
            let devices = try await Command.run(["/usr/sbin/losetup", "-n", "-O", "NAME", "-j", image]).output
            for device in devices.split(separator: "\n") {
                try await must(["/usr/sbin/losetup", "-d", device.trimmingCharacters(in: .whitespaces)])
            }
            try await expectFinding(plane, "missing", "loop", id)
        }

        private static func isGone(_ pid: pid_t) -> Bool {
            let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
            guard let end = text.lastIndex(of: ")") else { return true }
            return text[end...].hasPrefix(") Z")
        }

        /// Control groups of an instance in every hierarchy, children first.
        private static func groups(_ id: String) -> [String] {
            var found: [String] = []
            for hierarchy in (try? FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup")) ?? [] {
                for base in ["/sys/fs/cgroup/\(hierarchy)/trove", "/sys/fs/cgroup/trove"] {
                    for home in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] {
                        let top = "\(base)/\(home)/\(id)"
                        guard FileManager.default.fileExists(atPath: top), !found.contains(top) else { continue }
                        found += ["agent", "engine"].map { "\(top)/\($0)" }.filter {
                            FileManager.default.fileExists(atPath: $0)
                        }
                        found.append(top)
                    }
                }
            }
            return found
        }

        private static var runDirectory: String { ProcessInfo.processInfo.environment["TROVE_RUN_DIR"] ?? "/run/trove" }

        private func must(_ arguments: [String]) async throws {
            let result = try await Command.run(arguments)
            guard result.status == 0 else { throw TestFailure("\(arguments): \(result.errors)") }
        }
    }
}
