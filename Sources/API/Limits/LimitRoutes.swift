// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/limits`: first what a project may have, then how often it may ask. Source: REST contract §11.
struct LimitRoutes {
    let rateLimiter: RateLimiter?

    var routes: [Route<CoreRoute>] {
        [
            Route(
                "GET", "/limits",
                RouteDescription(
                    "list_limits", "What the project may have, then how often it may ask.", rule: "limits:index",
                    answer: .document("limits", .array(of: .object(["verb": .string()], required: ["verb"]))))
            ) { [rateLimiter] in try await Self.list($0, rateLimiter) }
        ]
    }

    @Sendable private static func list(_ call: APICall, _ limiter: RateLimiter?) async throws -> APIResponse {
        try call.require("limits:index")
        let projectID = call.context.projectID
        let (stored, rates) = try await call.services.store.read { transaction -> ([String: Int], [Rate]) in
            let stored = try transaction.quotas.limits(projectID: projectID)
            guard let limiter else { return (stored, []) }
            let (buckets, time) = (try transaction.rateBuckets.all(projectID: projectID), try transaction.now)
            let rates = limiter.limits.sorted { $0.key < $1.key }.map { verb, limit in
                Rate(verb, limit, limiter.remaining(verb, projectID: projectID, stored: buckets, time: time))
            }
            return (stored, rates)
        }
        let quotas = QuotaLimits(defaults: call.configuration.quotas, stored: stored)
        return .json { writer in
            writer.object { writer in
                writer.key("limits")
                writer.array { writer in
                    writer.object { writer in
                        writer.member("verb", "ABSOLUTE")
                        writer.member("max_instances", quotas.instances)
                        writer.member("max_ram", quotas.ram)
                        writer.member("max_backups", quotas.backups)
                        writer.member("max_volumes", quotas.volumes)
                    }
                    for rate in rates { rate.write(call.now, &writer) }
                }
            }
        }
    }
}

/// How often a project may use one verb, and may now.
private struct Rate: Sendable {
    let verb: String
    let limit: Int
    let remaining: Int
    let wait: Duration

    init(_ verb: String, _ limit: Int, _ remaining: (requests: Int, wait: Duration)) {
        self.verb = verb
        self.limit = limit
        self.remaining = remaining.requests
        wait = remaining.wait
    }

    func write(_ now: Timestamp, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("verb", verb)
            writer.member("uri", "*")
            writer.member("regex", ".*")
            writer.member("value", limit)
            writer.member("unit", "MINUTE")
            writer.member("remaining", remaining)
            writer.member("nextAvailable", (now + wait).text + "Z")
        }
    }
}
