// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// What an operator without Python does with `trove` alone, on a real engine.
    @Suite("The command line", .serialized)
    struct CommandLineTests {
        /// Runs `trove` as a tenant whose openrc is loaded.
        private struct Session {
            let rc: [String: String]

            func run(
                _ words: [String], input: String? = nil, changes: [String: String] = [:]
            ) async throws -> CommandResult {
                try await Command.run(
                    [Build.trove] + words, environment: rc.merging(changes) { $1 }, input: input, seconds: 300)
            }

            /// As `run`; fails unless it succeeds.
            @discardableResult
            func must(_ words: String..., input: String? = nil) async throws -> String {
                let result = try await run(words, input: input)
                guard result.status == 0 else {
                    throw TestFailure("trove \(words.joined(separator: " ")): \(result.status) \(result.errors)")
                }
                return result.output
            }

            func json(_ words: String..., input: String? = nil) async throws -> JSONValue {
                let result = try await run(words + ["--json"], input: input)
                guard result.status == 0 else {
                    throw TestFailure("trove \(words.joined(separator: " ")): \(result.status) \(result.errors)")
                }
                return try JSONValue(parsing: result.output)
            }

            func refused(_ words: String..., code: Int32 = 1) async throws -> String {
                let result = try await run(words)
                #expect(result.status == code && result.output.isEmpty, "\(words): \(result.status) \(result.output)")
                return result.errors
            }
        }

        @Test("an instance's whole life, waited for, listed and restored", .timeLimit(.minutes(10)))
        func life() async throws {
            try await ControlPlane.with { plane in
                let session = Session(rc: try plane.openrc())
                try await catalogue(session)
                let made = try await session.run(
                    [
                        "instance", "create", "first", "--flavor", "1", "--size", "1", "--datastore", "mariadb",
                        "--database", "shop", "--user", "clerk", "--password-file", "-", "--wait", "--json",
                    ], input: "s3cret-Clerk\n")
                #expect(made.status == 0, "\(made.errors)")
                #expect(made.errors.contains("instance first: BUILD after 0 s"), "\(made.errors)")
                #expect(made.errors.contains("instance first: ACTIVE after"), "\(made.errors)")
                #expect(!(made.errors + made.output).contains("s3cret-Clerk"))
                let instance = try JSONValue(parsing: made.output)
                #expect(instance["status"] == "ACTIVE")
                let id = try #require(instance["id"]?.stringValue)
                let address = try SQL.address(instance)
                _ = try await SQL.run(address, user: "clerk", password: "s3cret-Clerk", "CREATE TABLE shop.t (i INT)")

                try await instances(session, id)
                try await databases(session, address)
                try await configuration(session)
                try await logs(session, plane, address)
                try await modules(session)
                try await events(session, id)
                try await clouds(session, plane)
                try await restore(session)
                try await wrong(session, plane)
                try await session.must("instance", "delete", "first", "--wait")
                #expect(try await session.json("instance", "list") == [])
            }
        }

        private func catalogue(_ session: Session) async throws {
            let flavors = try await session.json("flavor", "list")
            #expect(flavors.arrayValue?.count == 5)
            let name = try #require(flavors[0]?["name"]?.stringValue)
            #expect(try await session.json("flavor", "show", name) == flavors[0])
            let versions = try await session.json("datastore", "version", "list", "mariadb")
            let version = try #require(versions[0]?["id"]?.stringValue)
            #expect(try await session.json("datastore", "version", "show", version)["name"] == "10.11")
            #expect(try await session.must("datastore", "list").contains("| mariadb "))
            let parameters = try await session.json(
                "configuration", "parameter", "list", "10.11", "--datastore", "mariadb")
            #expect(parameters.arrayValue?.contains { $0["name"] == "max_connections" } == true)
            #expect(
                try await session.json("configuration", "parameter", "show", version, "max_connections")["type"]
                    == "integer")
            #expect(try await session.must("limit", "list").contains("max_instances"))
            let quotas = try await session.json("quota", "show")
            #expect(quotas.arrayValue?.contains { $0["resource"] == "instances" } == true)
        }

        private func instances(_ session: Session, _ id: String) async throws {
            let table = try await session.must("instance", "list")
            let line = try #require(table.split(separator: "\n").first { $0.contains(id) })
            #expect(line.contains("| first | mariadb   | 10.11   | ACTIVE |"), "\(table)")
            #expect(try await session.json("instance", "show", "first")["id"] == .string(id))
            #expect(try await session.must("instance", "show", id).contains("| datastore.type "))
            #expect(try await session.json("instance", "restart", "first", "--wait")["status"] == "ACTIVE")
            try await session.must("instance", "update", "first", "--name", "second")
            #expect(try await session.refused("instance", "show", "first").contains("there is no instance 'first'"))
            try await session.must("instance", "update", "second", "--name", "first")
            #expect(try await session.json("instance", "root", "show", "first")["rootEnabled"] == false)
            let root = try await session.json("instance", "root", "enable", "first")
            #expect(root["name"] == "root" && root["password"]?.stringValue?.isEmpty == false)
            try await session.must("instance", "root", "disable", "first")
        }

        private func databases(_ session: Session, _ address: String) async throws {
            try await session.must("database", "create", "first", "spare", "more", "--character-set", "utf8mb4")
            #expect(try await session.must("database", "list", "first").contains("| spare "))
            try await session.must("database", "delete", "first", "more")
            let names = try await session.json("database", "list", "first").arrayValue?.compactMap { $0["name"] }
            #expect(names == ["shop", "spare"])

            try await session.must(
                "user", "create", "first", "guest.one", "--database", "spare", "--password-file", "-",
                input: "s3cret-Guest\n")
            _ = try await SQL.run(address, user: "guest.one", password: "s3cret-Guest", "CREATE TABLE spare.t (i INT)")
            try await session.must("user", "grant", "first", "guest.one", "shop")
            let shown = try await session.json("user", "show", "first", "guest.one")
            #expect(shown["databases"]?.arrayValue?.count == 2, "\(shown)")
            try await session.must("user", "revoke", "first", "guest.one", "shop")
            try await session.must(
                "user", "update", "first", "guest.one", "--password-file", "-", input: "0ther-Secret")
            _ = try await SQL.run(address, user: "guest.one", password: "0ther-Secret", "SELECT 1")
            try await session.must("user", "delete", "first", "guest.one")
            #expect(try await session.json("user", "list", "first").arrayValue?.count == 1)
            let asked = try await session.refused("user", "create", "first", "x", "--password-file", "/none", code: 64)
            #expect(asked.contains("/none"))
        }

        private func logs(_ session: Session, _ plane: ControlPlane, _ address: String) async throws {
            #expect(try await session.refused("log", "save", "first", "general").contains("nothing of log 'general'"))
            try await session.must("log", "enable", "first", "general")
            _ = try await SQL.run(address, user: "clerk", password: "s3cret-Clerk", "SELECT 'needle-1'")
            let file = plane.home + "/saved.log"
            let said = try await session.must("log", "save", "first", "general", "--publish", "--file", file)
            let saved = try String(contentsOfFile: file, encoding: .utf8)
            #expect(saved.contains("needle-1") && said.contains("\(saved.utf8.count) bytes in \(file)"), "\(said)")
            #expect(
                try await session.refused("log", "save", "first", "general", "--file", file, code: 64).contains(file))
            #expect(try await session.must("log", "save", "first", "general", "--file", "-") == saved)
            _ = try await SQL.run(address, user: "clerk", password: "s3cret-Clerk", "SELECT 'needle-2'")
            // The agent's own statements are in the log too, how many depends on the time that passes.
            let all = try await session.must("log", "tail", "first", "general", "--publish", "--lines", "2000")
            #expect(all.contains("needle-2"), "\(all)")
            let tail = try await session.must("log", "tail", "first", "general", "--lines", "3")
            #expect(all.hasSuffix(tail) && tail.count { $0 == "\n" } == 3, "\(tail)")
            try await session.must("log", "disable", "first", "general")
        }

        private func modules(_ session: Session) async throws {
            try await session.must("module", "create", "hello", "ping", "-", "--live-update", input: "message=one")
            let applied = try await session.json("module", "apply", "first", "hello")
            #expect(applied[0]?["message"] == "one", "\(applied)")
            #expect(try await session.refused("module", "update", "hello", code: 64).contains("nothing is to change"))
            try await session.must("module", "update", "hello", "--name", "bye", "--file", "-", input: "message=two")
            try await session.must("module", "reapply", "bye")
            let deadline = ContinuousClock.now + .seconds(60)
            while try await session.json("module", "query", "first")[0]?["message"] != "two" {
                try #require(ContinuousClock.now < deadline, "the module was not applied anew")
                try await Task.sleep(for: .milliseconds(200))
            }
            try await session.must("module", "remove", "first", "bye")
            try await session.must("module", "delete", "bye")
        }

        private func events(_ session: Session, _ id: String) async throws {
            let all = try await session.json("event", "list", "--instance", "first").arrayValue ?? []
            #expect(
                all.contains { $0["operation"] == "create_instance" && $0["event"] == "operation_done" }, "\(all.count)"
            )
            #expect(all.allSatisfy { $0["instance_id"] == .string(id) })
            #expect(try await session.must("event", "list", "--limit", "1").contains("| create_instance "))
            let second = try #require(all[1]["id"]?.intValue)
            #expect(
                try await session.json("event", "list", "--instance", "first", "--since", "\(second)").arrayValue
                    == Array(all[2...]))
        }

        /// The same through a clouds.yaml, with the password in the secure.yaml beside it.
        private func clouds(_ session: Session, _ plane: ControlPlane) async throws {
            let (rc, directory) = (session.rc, plane.home + "/clouds")
            func value(_ name: String) -> String { JSONValue.string(rc[name] ?? "").text }
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            try """
            clouds:
              here:
                auth: {auth_url: \(value("OS_AUTH_URL")), username: \(value("OS_USERNAME")),
                       project_name: \(value("OS_PROJECT_NAME"))}
                region_name: \(value("OS_REGION_NAME"))
                cacert: \(value("OS_CACERT"))
            """.write(toFile: directory + "/clouds.yaml", atomically: true, encoding: .utf8)
            try "clouds: {here: {auth: {password: \(value("OS_PASSWORD"))}}}\n".write(
                toFile: directory + "/secure.yaml", atomically: true, encoding: .utf8)
            let cloud = Session(rc: ["OS_CLIENT_CONFIG_FILE": directory + "/clouds.yaml", "OS_CLOUD": "here"])
            #expect(try await cloud.json("instance", "show", "first")["name"] == "first")
            #expect(
                try await cloud.refused("instance", "list", "--os-cloud", "there", code: 78).contains("it has here"))
        }

        private func configuration(_ session: Session) async throws {
            let made = try await session.json(
                "configuration", "create", "tuning", "--datastore", "mariadb", "--datastore-version", "10.11",
                "max_connections=47")
            #expect(made["values"]?["max_connections"] == 47)
            let changed = try await session.json("configuration", "patch", "tuning", "back_log=61")
            #expect(changed["values"]?.objectValue?.count == 2)
            try await session.must("configuration", "attach", "first", "tuning")
            #expect(try await session.must("configuration", "instances", "tuning").contains("| first "))
            try await session.must("configuration", "detach", "first")
            try await session.must("instance", "restart", "first", "--wait")
            try await session.must("configuration", "delete", "tuning")
        }

        private func restore(_ session: Session) async throws {
            let backup = try await session.json("backup", "create", "night", "--instance", "first", "--wait")
            #expect(backup["status"] == "COMPLETED")
            #expect(try await session.must("backup", "list", "--instance", "first").contains("| night "))
            let copy = try await session.json(
                "instance", "create", "copy", "--flavor", "1", "--size", "1", "--datastore", "mariadb", "--backup",
                "night", "--wait")
            _ = try await SQL.run(
                try SQL.address(copy), user: "clerk", password: "s3cret-Clerk", "SELECT COUNT(*) FROM shop.t")
            try await session.must("instance", "delete", "copy", "--wait")
            try await session.must("backup", "delete", "night", "--wait")
        }

        /// Wrong names, variables, options; and what the service refuses.
        private func wrong(_ session: Session, _ plane: ControlPlane) async throws {
            #expect(try await session.refused("instance", "delete", "nothing").contains("no instance 'nothing'"))
            #expect(try await session.refused("backup", "show", "nothing").contains("there is no backup 'nothing'"))
            #expect(
                try await session.refused("instance", "create", "x", "--flavor", "nothing", "--size", "1").contains(
                    "there is no flavor 'nothing'"))
            #expect(
                try await session.refused("instance", "create", "x", "--flavor", "1", "--size", "9999").contains(
                    "(HTTP 413)"))
            #expect(try await session.refused("instance", "create", "x", code: 64).contains("--flavor"))
            #expect(try await session.refused("instance", "update", "first", code: 64).contains("nothing to change"))
            let missing = try await session.run(["instance", "list"], changes: ["OS_PASSWORD": ""])
            #expect(missing.status == 78 && missing.errors.contains("OS_PASSWORD is not set"), "\(missing.errors)")
            let region = try await session.run(["instance", "list", "--os-region-name", "Mars"])
            #expect(region.status == 78 && region.errors.contains("'Mars'"), "\(region.errors)")
            let token = try await RESTClient.login(plane).token
            let byToken = try await session.run(
                ["instance", "list", "--json", "--os-auth-type", "token"], changes: ["OS_TOKEN": token])
            #expect(byToken.status == 0 && !byToken.output.contains(token), "\(byToken.errors)")
        }

        @Test("Ctrl-C ends the wait, and the operation goes on", .timeLimit(.minutes(5)))
        func interrupted() async throws {
            try await ControlPlane.with { plane in
                let session = Session(rc: try plane.openrc())
                let process = Process()
                process.executableURL = URL(fileURLWithPath: Build.trove)
                process.arguments = [
                    "instance", "create", "slow", "--flavor", "1", "--size", "1", "--datastore", "mariadb", "--wait",
                ]
                process.environment = ProcessInfo.processInfo.environment.merging(session.rc) { $1 }
                let errors = Pipe()
                process.standardError = errors
                process.standardOutput = FileHandle.nullDevice
                try process.run()
                try await eventually(60, "the instance is made") {
                    try await session.json("instance", "list").arrayValue?.isEmpty == false
                }
                process.interrupt()
                process.waitUntilExit()
                let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
                #expect(process.terminationStatus == 130, "\(text)")
                #expect(text.contains("interrupted; the operation goes on: 'trove instance show "), "\(text)")
                #expect(try await session.json("instance", "show", "slow", "--wait")["status"] == "ACTIVE")
                try await session.must("instance", "delete", "slow", "--wait")
            }
        }

        @Test("docs/cli.md lists the commands that there are")
        func reference() async throws {
            let compared = try await Command.run(["\(Build.root)/scripts/commands", "--check", Build.trove])
            #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
        }
    }
}
