// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// The handlers of a plugin's routes.
final class RouteGroup {
    private let context: GroupContext
    private let targets: [Target]

    init(_ context: GroupContext, _ table: UnsafeRawPointer) {
        self.context = context
        let table = table.load(as: trove_api_extension_1.self)
        var targets: [Target] = []
        for index in 0..<Int(table.count) {
            guard let route = table.routes?[index], let method = route.method, let path = route.path,
                let handle = route.handle
            else { continue }
            let (verb, pattern) = (String(cString: method), String(cString: path))
            targets.append(
                Target(
                    "route \(verb) \(pattern)", Self.request(verb, pattern), needs: ["method", "route", "parameters"],
                    reply: .schema("api-response"), mayEmitSecret: true
                ) { handle($0, $1) })
        }
        self.targets = targets
    }

    private static func request(_ method: String, _ pattern: String) -> JSONValue {
        let names = pattern.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
        let instance = "00000000-0000-4000-8000-000000000001"
        let parameters = Dictionary(
            uniqueKeysWithValues: Set(names).map { ($0, JSONValue.string($0 == "id" ? instance : "check")) })
        let hasBody = method != "GET" && method != "DELETE"
        return [
            "method": .string(method), "path": .string(pattern.replacing("{id}", with: instance)),
            "route": .string(pattern),
            "parameters": .object(parameters), "query": ["limit": "20", "marker": "a"],
            "body": hasBody ? body : .null, "project_id": "check", "user_id": "check", "is_admin": false,
            "request_id": "req-00000000-0000-4000-8000-000000000002", "base_url": "http://127.0.0.1:8779/v1.0/check",
        ]
    }

    private static let body: JSONValue = [
        "name": "check",
        "users": [["name": "check_user", "password": .string(Caller.secret), "databases": [["name": "a"]]]],
        "databases": [["name": "check_base", "character_set": "utf8"]],
        "user": ["name": "check", "password": .string(Caller.secret)],
    ]

    var scenarios: [Scenario] {
        let caller = context.caller
        let sandbox = context.sandbox
        var list = targets.map { target in
            Scenario(check: "routes.answers", target: target.name) { try self.answers(target) }
        }
        // A handler may look at few of these members, so that others are wrong need not matter to it.
        let lenient = targets.map { target in
            var target = target
            target.needs = []
            return target
        }
        list += InputChecks(caller: caller, strays: { sandbox.strays }).scenarios(lenient)
        list += CallChecks(caller: caller).scenarios(targets)
        list.append(LeakChecks(caller: caller, repeats: context.order.repeats).scenario(targets, prefix: "routes"))
        return list
    }

    /// An answer to a request about an instance that the control plane does not know.
    private func answers(_ target: Target) throws {
        let outcome = try target.call(context.caller, target.sample)
        guard outcome.status == Int32(TROVE_INTERNAL) else { return }
        ChildReporter.shared.fail(
            "routes.answers",
            "\(target.name) failed with \(outcome.text) for an instance that does not exist; hand on what the control service said."
        )
    }
}
