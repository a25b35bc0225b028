// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// Checks the routes that a plugin adds, against its manifest.
struct RouteTableChecks {
    let order: ChildOrder

    private static let methods: Set<String> = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    private var reporter: ChildReporter { .shared }

    func run(_ table: trove_api_extension_1) -> Bool {
        defer { for check in ["routes.table", "routes.words", "routes.schemas"] { reporter.pass(check) } }
        guard table.count > 0, table.count <= 1024, let items = table.routes else {
            reporter.fail("routes.table", "trove_api_extension_1 has \(table.count) routes; it has 1 to 1024.")
            return false
        }
        var keys: Set<String> = []
        // After an item of another size nothing is where it should be.
        return (0..<Int(table.count)).allSatisfy { check(items[$0], "route \($0)", &keys) }
    }

    private func check(_ route: trove_route_1, _ place: String, _ keys: inout Set<String>) -> Bool {
        let size = UInt32(MemoryLayout<trove_route_1>.size)
        guard route.size == size else {
            reporter.fail("routes.table", "\(place) has the size \(route.size), not \(size); use sizeof.")
            return false
        }
        guard let method = route.method.map({ String(cString: $0) }),
            let path = route.path.map({ String(cString: $0) }),
            let policy = route.policy.map({ String(cString: $0) }), route.handle != nil
        else {
            reporter.fail("routes.table", "\(place) lacks method, path, policy or handle.")
            return false
        }
        if route.flags != 0 { reporter.fail("routes.table", "\(place) has flags; ABI 1.0 has none: use 0.") }
        if !Self.methods.contains(method) { reporter.fail("routes.table", "\(place): '\(method)' is not a method.") }
        if policy.isEmpty || policy.contains(where: \.isWhitespace) {
            reporter.fail("routes.table", "\(place): '\(policy)' is not the name of a policy rule.")
        }
        checkPath(path, place)
        let key =
            method + " "
            + path.split(separator: "/").map { $0.hasPrefix("{") ? "{}" : String($0) }.joined(separator: "/")
        if !keys.insert(key).inserted { reporter.fail("routes.table", "\(method) \(path) is there twice.") }
        for (name, schema) in [("request_schema", route.request_schema), ("response_schema", route.response_schema)] {
            guard let schema else { continue }
            do { _ = try JSONSchema(try JSONValue(parsing: String(cString: schema))) } catch {
                reporter.fail("routes.schemas", "\(place): \(name) is no JSON Schema that the host knows: \(error).")
            }
        }
        reporter.capability("route.\(method) \(path)", true)
        return true
    }

    private func checkPath(_ path: String, _ place: String) {
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let id = order.manifest["id"]?.stringValue ?? ""
        guard path.hasPrefix("/"), segments.count >= 3, ["instances", "clusters", "x"].contains(segments[0]),
            segments[1] == (segments[0] == "x" ? id : "{id}")
        else {
            return reporter.fail(
                "routes.table", "\(place): '\(path)' is not below /instances/{id}/, /clusters/{id}/ or /x/\(id)/.")
        }
        let words = (order.manifest["routes"]?[segments[0]]?.arrayValue ?? []).compactMap(\.stringValue)
        if !words.contains(segments[2]) {
            reporter.fail(
                "routes.words",
                "\(place): the word '\(segments[2])' is not in routes.\(segments[0]) of plugin.json; add it.")
        }
    }
}
