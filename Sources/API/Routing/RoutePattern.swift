// SPDX-License-Identifier: Apache-2.0

/// Verb and path of a route: literal segments and `{parameters}`, below `/v1.0/{project}`.
package struct RoutePattern: Sendable, Hashable, CustomStringConvertible {
    enum Part: Sendable, Hashable {
        case literal(String)
        case parameter(String)
    }

    /// nil: every verb.
    let method: String?
    let parts: [Part]
    let path: String

    package init(_ method: String?, _ path: String) {
        self.method = method
        self.path = path
        parts = path.split(separator: "/").map { part in
            part.hasPrefix("{") && part.hasSuffix("}")
                ? .parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    package var description: String { "\(method ?? "any verb") \(path)" }

    /// Names of the parameters, in order.
    var parameterNames: [String] {
        parts.compactMap { part in
            if case .parameter(let name) = part { name } else { nil }
        }
    }

    /// The parameters' values when this pattern is the request's.
    func match(_ method: String, _ segments: [String]) -> [String]? {
        guard self.method == nil || self.method == method, segments.count == parts.count else { return nil }
        var values: [String] = []
        for (part, segment) in zip(parts, segments) {
            switch part {
            case .literal(let text): if text != segment { return nil }
            case .parameter: values.append(segment)
            }
        }
        return values
    }

    /// Whether one request could be meant for both.
    func overlaps(_ other: RoutePattern) -> Bool {
        guard method == nil || other.method == nil || method == other.method, parts.count == other.parts.count else {
            return false
        }
        return zip(parts, other.parts).allSatisfy { left, right in
            switch (left, right) {
            case (.literal(let left), .literal(let right)): left == right
            default: true
            }
        }
    }

    /// Orders patterns so that the first match is the one with the earliest literal.
    func precedes(_ other: RoutePattern) -> Bool {
        for (left, right) in zip(parts, other.parts) {
            switch (left, right) {
            case (.literal, .parameter): return true
            case (.parameter, .literal): return false
            default: continue
            }
        }
        return false
    }
}

/// A pattern and what serves it.
struct Route<Target: Sendable>: Sendable {
    let pattern: RoutePattern
    let target: Target
}

/// Finds the route of a request.
struct RouteTable<Target: Sendable>: Sendable {
    private var byCount: [Int: [Route<Target>]] = [:]

    init(_ routes: [Route<Target>]) {
        for (count, group) in Dictionary(grouping: routes, by: \.pattern.parts.count) {
            byCount[count] = group.sorted { $0.pattern.precedes($1.pattern) }
        }
    }

    func match(_ method: String, _ segments: [String]) -> (target: Target, parameters: [String])? {
        for route in byCount[segments.count] ?? [] {
            if let parameters = route.pattern.match(method, segments) { return (route.target, parameters) }
        }
        return nil
    }
}

/// What a core route runs.
typealias RouteHandler = @Sendable (APICall) async throws -> APIResponse
