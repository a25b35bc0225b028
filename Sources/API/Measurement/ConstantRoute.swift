// SPDX-License-Identifier: Apache-2.0

import Model

/// `GET /x/constant?bytes=N`: a constant body of N bytes behind the whole pipeline.
///
/// What this route costs is the floor of every other route: an operator measures a machine, and the benchmarks the lists,
/// against it. Off unless the configuration turns it on.
enum ConstantRoute {
    /// Largest body that it answers, in bytes.
    private static let limit = 1 << 20

    static let routes = [
        Route<CoreRoute>(
            "GET", "/x/constant",
            RouteDescription(
                "measure", "A constant body, as a floor to measure other routes against.",
                query: [QueryParameter("bytes", "The body's length.", .integer(minimum: 2, maximum: limit))],
                answer: .string())
        ) { call in
            guard let text = Query(call.request.query)["bytes"], let count = Int(text), (2...limit).contains(count)
            else {
                throw APIFault(400, "'bytes' must be a whole number from 2 to \(limit).")
            }
            var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: count)
            bytes[0] = UInt8(ascii: "\"")
            bytes[count - 1] = UInt8(ascii: "\"")
            return APIResponse(status: 200, body: bytes)
        }
    ]
}
