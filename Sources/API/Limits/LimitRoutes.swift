// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// `/limits`: first what a project may have, then how often it may ask. Source: REST contract §11.
struct LimitRoutes {
    let rateLimiter: RateLimiter?

    var routes: [Route<RouteHandler>] {
        [
            Route(
                pattern: RoutePattern("GET", "/limits"),
                target: { [rateLimiter] in try await Self.list($0, rateLimiter) })
        ]
    }

    @Sendable private static func list(_ call: APICall, _ limiter: RateLimiter?) async throws -> APIResponse {
        try call.require("limits:index")
        let projectID = call.context.projectID
        let stored = try await call.services.store.read { try $0.quotas.limits(projectID: projectID) }
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
                    for (verb, value) in (limiter?.limits ?? [:]).sorted(by: { $0.key < $1.key }) {
                        let remaining = limiter?.remaining(verb, projectID: projectID, now: call.now) ?? 0
                        write(verb, value, remaining, call, &writer)
                    }
                }
            }
        }
    }

    private static func write(
        _ verb: String, _ value: Int, _ remaining: Int, _ call: APICall, _ writer: inout JSONWriter
    ) {
        writer.object { writer in
            writer.member("verb", verb)
            writer.member("uri", "*")
            writer.member("regex", ".*")
            writer.member("value", value)
            writer.member("unit", "MINUTE")
            writer.member("remaining", remaining)
            let wait = remaining > 0 ? Duration.zero : .seconds(60) / max(1, value)
            writer.member("nextAvailable", (call.now + wait).text + "Z")
        }
    }
}
