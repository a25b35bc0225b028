// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// Who may do what is the operator's to say.
    @Suite("Policy file", .serialized)
    struct PolicyFileTests {
        @Test("a rule takes effect on SIGHUP; a wrong one changes nothing and is named", .timeLimit(.minutes(2)))
        func reload() async throws {
            try await ControlPlane.with { plane in
                let client = try await RESTClient.login(plane)
                #expect(try await client.call("GET", "/flavors").status == 200)
                try plane.configure("policy.yaml", "\"flavor:index\": \"!\"\n")
                try await plane.hangup()
                try await eventually(10, "the rule denies") {
                    try await client.call("GET", "/flavors").status == 403
                }
                let denied = try await client.call("GET", "/flavors")
                #expect(
                    String(decoding: denied.bytes, as: UTF8.self).contains(
                        "Policy doesn't allow flavor:index to be performed."))
                let check = try await plane.trove(["policy", "check", "--as", "admin", "flavor:index"])
                #expect(check.status == 1 && check.output.contains("denied"), "\(check.output)")
                try plane.configure("policy.yaml", "\"flavor:index\": \"\"\n\"flavor:indx\": \"\"\n")
                try await plane.hangup()
                try await eventually(10, "the wrong rule is named") {
                    plane.logTail(20).contains("policy.yaml:2: rule 'flavor:indx': there is no such rule; did you mean")
                }
                #expect(try await client.call("GET", "/flavors").status == 403)
            }
        }

        @Test("check explains, list names every rule, and the sample is what the tree ships")
        func commands() async throws {
            let plane = try ControlPlane()
            defer { try? FileManager.default.removeItem(atPath: plane.home) }
            let allowed = try await plane.trove(["policy", "check", "--as", "member", "instance:create"])
            #expect(allowed.status == 0 && allowed.output.contains("yes  project_id:%(tenant)s"), "\(allowed.output)")
            let other = try await plane.trove(
                ["policy", "check", "--as", "member", "--target-project", "p2", "instance:create"])
            #expect(other.status == 1 && other.output.contains("no   project_id:%(tenant)s"), "\(other.output)")
            let list = try await plane.trove(["policy", "list"])
            #expect(list.status == 0 && list.output.contains("instance:reset_status: \"rule:admin\""))
            let sample = try await Command.run([Build.trove, "policy", "sample"])
            let shipped = try String(contentsOfFile: Build.root + "/Config/policy.yaml", encoding: .utf8)
            #expect(sample.output == shipped)
        }
    }
}
