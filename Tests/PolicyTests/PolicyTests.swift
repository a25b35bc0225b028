// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Policy

@Suite("Policy")
struct PolicyTests {
    private let owner = PolicyTarget(projectID: "p1")

    private func caller(_ roles: [String], project: String = "p1", user: String = "u1", admin: Bool = false)
        -> PolicyCredentials
    {
        PolicyCredentials(userID: user, projectID: project, roles: roles, isAdmin: admin)
    }

    /// Whether `text` lets the caller through.
    private func allows(_ text: String, _ caller: PolicyCredentials) throws -> Bool {
        try PolicyRules([PolicyOverride(name: "instance:create", text: .text(text))])
            .allows("instance:create", caller, owner)
    }

    @Test(
        "checks and their joints mean what they mean in oslo.policy",
        arguments: [
            ("", true), ("@", true), ("!", false), ("role:member", true), ("role:MEMBER", true), ("role:other", false),
            ("not role:other", true), ("role:other or role:member", true), ("role:other and role:member", false),
            ("role:member or role:other and !", true), ("(role:member or role:other) and !", false),
            ("not role:other and role:member", true), ("not (role:other or role:member)", false),
            ("project_id:%(project_id)s", true), ("tenant:%(tenant)s", true), ("project_id:p2", false),
            ("user_id:u1", true), ("user_id:%(user_id)s", false), ("is_admin:True", false), ("is_admin:False", true),
            ("'p1':%(tenant)s", true), ("'p2':%(tenant)s", false), ("None:%(tenant)s", false), ("1:1", true),
            ("roles:member", true), ("rule:admin_or_owner", true), ("rule:admin", false),
            ("ROLE:member", false), ("role:member AND not !", true),
        ])
    func language(_ text: String, _ wanted: Bool) throws {
        #expect(try allows(text, caller(["member", "reader"])) == wanted)
    }

    @Test(
        "domains of user and project are credentials",
        arguments: [
            ("user_domain_id:users", true), ("user_domain:users", true), ("user_domain_id:default", false),
            ("project_domain_id:default", true), ("project_domain_id:users", false),
            ("role:member and project_domain:default", true),
        ])
    func domains(_ text: String, _ wanted: Bool) throws {
        var caller = caller(["member"])
        (caller.userDomainID, caller.projectDomainID) = ("users", "default")
        #expect(try allows(text, caller) == wanted)
        let context = RequestContext(
            requestID: "req-1", projectID: "p1", roles: ["member"], userDomainID: "users", projectDomainID: "default")
        #expect(try allows(text, PolicyCredentials(context)) == wanted)
    }

    @Test("the old form of lists is any of lists, all of each")
    func lists() throws {
        func allows(_ lists: [[String]]) throws -> Bool {
            try PolicyRules([PolicyOverride(name: "flavor:index", text: .lists(lists))])
                .allows("flavor:index", caller(["member"]), owner)
        }
        #expect(try allows([]))
        #expect(try allows([["role:other"], ["role:member", "@"]]))
        #expect(try !allows([["role:member", "!"]]))
    }

    @Test(
        "what is wrong is refused with its rule, its line and a hint",
        arguments: [
            ("instance:create", "role:a role:b", "'and' or 'or' is missing"),
            ("instance:create", "(role:a", "a ')' is missing"), ("instance:create", "role:a or", "it ends where"),
            ("instance:create", "http://127.0.0.1/ask", "asks another server"),
            ("instance:create", "member", "is no check"), ("instance:create", "rule:admim", "did you mean 'admin'?"),
            ("instance:create", "rule:instance:create", "asks for itself"),
            ("instance:creat", "@", "did you mean 'instance:create'?"), ("helper", "@", "there is no such rule"),
            ("instance:create", "project_id:%(x)d", "must begin %(name)s"),
        ])
    func refusals(_ name: String, _ text: String, _ sentence: String) throws {
        let error = #expect(throws: PolicyError.self) {
            try PolicyRules([PolicyOverride(name: name, text: .text(text), line: 7)])
        }
        #expect(error?.rule == name && error?.line == 7)
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }

    @Test(
        "two rules that ask for each other are refused; a helper that another rule asks for, and a plugin's rule, are not"
    )
    func helpers() throws {
        let circle = [
            PolicyOverride(name: "a", text: .text("rule:b")), PolicyOverride(name: "b", text: .text("rule:a")),
        ]
        #expect(throws: PolicyError.self) { try PolicyRules(circle) }
        let rules = try PolicyRules([
            PolicyOverride(name: "staff", text: .text("role:staff")),
            PolicyOverride(name: "instance:delete", text: .text("rule:staff")),
            PolicyOverride(name: "sql-admin:audit", text: .text("!")),
        ])
        #expect(rules.allows("instance:delete", caller(["staff"]), owner))
        #expect(!rules.allows("instance:delete", caller(["admin"], admin: true), owner))
        #expect(!rules.allows("sql-admin:audit", caller(["admin"], admin: true), owner))
    }

    @Test("what can never hold is taken, with a warning")
    func warnings() throws {
        let rules = try PolicyRules([
            PolicyOverride(name: "limits:index", text: .text("system_scope:all or user_id:%(x)s"))
        ])
        #expect(rules.warnings.count == 2)
        #expect(!rules.allows("limits:index", caller(["admin"]), owner))
    }

    @Test("defaults: members on their own, administrators everywhere, the catalogue for everybody")
    func defaults() {
        let rules = PolicyRules()
        let (member, admin) = (caller(["member"]), caller(["admin"], project: "p9", admin: true))
        let stranger = caller(["member"], project: "p2")
        for (name, text) in PolicyDefaults.rules where name.contains(":") {
            #expect(rules.allows(name, admin, owner), "\(name)")
            #expect(rules.allows(name, member, owner) == (text != "rule:admin"), "\(name)")
            #expect(rules.allows(name, stranger, owner) == text.isEmpty, "\(name)")
        }
        #expect(rules.allows("nobody:knows", member, owner) && !rules.allows("nobody:knows", stranger, owner))
        #expect(rules.makesAdministrator(caller(["Admin"])) && !rules.makesAdministrator(member))
    }

    @Test("an operator says who is an administrator")
    func administrators() throws {
        let rules = try PolicyRules([PolicyOverride(name: "context_is_admin", text: .text("role:cloud_admin"))])
        #expect(rules.makesAdministrator(caller(["cloud_admin"])))
        #expect(!rules.makesAdministrator(caller(["admin"], admin: true)))
    }

    @Test("a decision is explained check by check, up to the one that decided")
    func explanation() {
        let told = PolicyRules().explain("instance:create", caller(["member"], project: "p2"), owner)
        #expect(!told.isAllowed)
        #expect(
            told.lines.map { "\($0.depth) \($0.text)" } == [
                "0 rule:instance:create", "1 rule:admin_or_owner",
                "2 rule:admin or project_id:%(tenant)s", "3 rule:admin", "4 role:admin or is_admin:True",
                "5 role:admin",
                "5 is_admin:True", "3 project_id:%(tenant)s",
            ])
        #expect(
            PolicyRules().explain("flavor:index", caller([]), owner).lines.map(\.text) == ["rule:flavor:index", "@"])
    }
}
