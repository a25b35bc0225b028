// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Modules, seen as files and messages of a real instance.
    @Suite("Modules", .serialized)
    struct ModuleTests {
        @Test(
            "modules are made, applied with a create and later, changed, applied anew, queried and removed",
            .timeLimit(.minutes(10)))
        func life() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                let administrator = try await RESTClient.login(plane, asAdministrator: true)
                let ping = try await make(client, "hello", "ping", "message=Hello\n")
                let banner = try await make(client, "banner.txt", "file", "first\n")
                let forAll = try await make(
                    administrator, "everybody", "file", "all\n", ["auto_apply": 1, "all_tenants": 1])
                try await refusals(client, banner)

                let id = try await client.create(
                    name: "modular", extra: ["modules": [["id": .string(ping)], ["id": .string(banner)]]])
                let instance = try await client.wait(id, for: "ACTIVE")
                #expect(instance["fault"] == nil)
                let given = try await results(client, id)
                #expect(Set(given.keys) == ["hello", "banner.txt", "everybody"])
                #expect(given["hello"]?["message"] == "Hello" && given["hello"]?["status"] == "OK")
                #expect(given["hello"]?["contents"] == .null)
                #expect(try file(plane, id, "banner.txt") == "first\n")
                #expect(try file(plane, id, "everybody") == "all\n")
                let databases = try await client.must("GET", "/instances/\(id)/databases")["databases"]
                #expect(databases?.arrayValue?.isEmpty == true, "the modules' directory is no database")

                // What instances have stays as it is, unless its module may change while they have it.
                let change: JSONValue = ["module": ["contents": .string(Self.encoded("second\n"))]]
                #expect(try await client.call("PUT", "/modules/\(banner)", change).status == 403)
                #expect(try await client.call("DELETE", "/modules/\(banner)").status == 403)
                try await administrator.must("PUT", "/modules/\(banner)", ["module": ["live_update": 1]])
                let md5 = try await client.must("GET", "/modules/\(banner)")["module"]?["md5"]
                try await administrator.must("PUT", "/modules/\(banner)", change)
                let counts = try await administrator.must("GET", "/modules/\(banner)/instances?count_only=true")
                #expect(counts["instances"]?[0]?["current"] == false && counts["instances"]?[0]?["module_md5"] == md5)
                #expect(try file(plane, id, "banner.txt") == "first\n")
                let reapply: JSONValue = ["reapply": ["batch_size": 1, "batch_delay": 0]]
                #expect(try await administrator.call("PUT", "/modules/\(banner)/instances", reapply).status == 202)
                try await eventually(60, "the module is applied anew") {
                    try file(plane, id, "banner.txt") == "second\n"
                }
                try await eventually(30, "it is recorded") {
                    let counts = try await administrator.must("GET", "/modules/\(banner)/instances?count_only=true")
                    return counts["instances"]?[0]?["current"] == true
                }
                let having = try await client.must("GET", "/modules/\(banner)/instances")["instances"]
                #expect(having?.arrayValue?.map { $0["id"] } == [.string(id)])

                let late = try await make(client, "late", "file", "late\n")
                let applied = try await client.must(
                    "POST", "/instances/\(id)/modules", ["modules": [["id": .string(late)]]])
                #expect(applied["modules"]?[0]?["status"] == "OK")
                #expect(try file(plane, id, "late") == "late\n")
                let full = try await results(client, id, "?from_guest=True&include_contents=True")
                #expect(full["late"]?["contents"]?.stringValue == Self.encoded("late\n"))
                let shell = try await trove(plane, ["module-query", id])
                #expect(shell.contains("banner.txt") && shell.contains("Hello"))

                try await client.must("DELETE", "/instances/\(id)/modules/\(late)")
                #expect(try file(plane, id, "late") == nil)
                #expect(try await client.call("DELETE", "/instances/\(id)/modules/\(forAll)").status == 403)
                try await client.must("DELETE", "/modules/\(late)")
                #expect(try await client.call("GET", "/modules/\(late)").status == 404)
                try await client.delete(id)
                try await client.must("DELETE", "/modules/\(ping)")
            }
        }

        @Test("a control plane that ends while it reapplies a module goes on with it", .timeLimit(.minutes(10)))
        func recovery() async throws {
            try await ControlPlane.with { plane in
                var client = try await RESTClient.login(plane)
                let module = try await make(client, "drill", "file", "0\n", ["live_update": 1])
                let id = try await client.create(name: "drilled", extra: ["modules": [["id": .string(module)]]])
                try await client.wait(id, for: "ACTIVE")
                for (number, moment) in ["before_effect", "after_effect", "after_record"].enumerated() {
                    try await plane.stop()
                    try await plane.start(arguments: ["--crash-at", "reapply_module/apply/\(moment)"])
                    client = try await RESTClient.login(plane)
                    let contents = "\(number + 1)\n"
                    try await client.must(
                        "PUT", "/modules/\(module)", ["module": ["contents": .string(Self.encoded(contents))]])
                    // The end may come before the answer does.
                    do {
                        try await client.must("PUT", "/modules/\(module)/instances", ["reapply": [:]])
                    } catch is URLError {}
                    try await plane.waitForEnd(seconds: 60)
                    try await plane.start()
                    client = try await RESTClient.login(plane)
                    try await eventually(60, "the module is applied anew after \(moment)") {
                        let counts = try await client.must("GET", "/modules/\(module)/instances?count_only=true")
                        return counts["instances"]?[0]?["current"] == true
                    }
                    #expect(try file(plane, id, "drill") == contents)
                }
                try await client.delete(id)
            }
        }

        private func refusals(_ client: RESTClient, _ module: String) async throws {
            func status(_ members: JSONValue) async throws -> Int {
                try await client.call("POST", "/modules", ["module": members]).status
            }
            let contents = JSONValue.string(Self.encoded("x"))
            #expect(try await status(["name": "n", "module_type": "nonsense", "contents": contents]) == 404)
            #expect(try await status(["name": "banner.txt", "module_type": "file", "contents": contents]) == 400)
            #expect(try await status(["name": "n", "module_type": "file", "contents": "?"]) == 400)
            for option in ["auto_apply", "all_tenants", "priority_apply", "full_access"] {
                var members: [String: JSONValue] = ["name": "n", "module_type": "file", "contents": contents]
                members[option] = 1
                #expect(try await status(.object(members)) == 403, "\(option)")
            }
            #expect(try await client.call("GET", "/modules/00000000-0000-4000-8000-000000000000").status == 404)
        }

        private func make(
            _ client: RESTClient, _ name: String, _ type: String, _ contents: String, _ more: [String: JSONValue] = [:]
        ) async throws -> String {
            var members = more
            members["name"] = .string(name)
            members["module_type"] = .string(type)
            members["contents"] = .string(Self.encoded(contents))
            let answer = try await client.must("POST", "/modules", ["module": .object(members)])
            return try #require(answer["module"]?["id"]?.stringValue)
        }

        /// By name.
        private func results(
            _ client: RESTClient, _ id: String, _ query: String = ""
        ) async throws -> [String: JSONValue] {
            let modules = try await client.must("GET", "/instances/\(id)/modules\(query)")["modules"]?.arrayValue ?? []
            return Dictionary(modules.map { ($0["name"]?.stringValue ?? "", $0) }) { $1 }
        }

        /// The module's file on the instance's volume; nil without one.
        private func file(_ plane: ControlPlane, _ id: String, _ name: String) throws -> String? {
            let text = try String(contentsOfFile: "\(plane.home)/instances/\(id)/guest.json", encoding: .utf8)
            let directory = try #require(try JSONValue(parsing: text)["data_dir"]?.stringValue)
            return try? String(contentsOfFile: "\(directory)/.modules/\(name)", encoding: .utf8)
        }

        /// The unmodified older client.
        private func trove(_ plane: ControlPlane, _ words: [String]) async throws -> String {
            let program = (Build.openstack as NSString).deletingLastPathComponent + "/trove"
            let result = try await Command.run([program] + words, environment: try plane.openrc())
            guard result.status == 0 else { throw TestFailure("trove \(words): \(result.errors)") }
            return result.output
        }

        private static func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
    }
}
