// SPDX-License-Identifier: Apache-2.0

// One end of the RPC benchmark over RabbitMQ.
//
//     rpc-bench ADDRESS USER VHOST EXCHANGE TOPIC serve
//     rpc-bench ADDRESS USER VHOST EXCHANGE TOPIC call CALLERS SECONDS
//     rpc-bench ADDRESS USER VHOST EXCHANGE TOPIC sizes
//
// The broker's password is the first line of standard input. Prints `ready`; a caller begins at the next line and then prints
// `{"calls": count, "seconds": …, "p50_us": …, "p99_us": …}`. Either ends with its standard input.

import Glibc
import Logging
import Messaging
import Model
import Synchronization

struct Echo: RPCEndpoint {
    func handle(_ request: RPCRequest) async throws -> JSONValue { request.arguments["x"] ?? .null }
}

let payload: [String: JSONValue] = [
    "x": ["service_status": "healthy", "pad": .string(String(repeating: "x", count: 100))]
]
let context = RequestContext(requestID: "req-00000000-0000-0000-0000-000000000000")

func say(_ text: String) {
    print(text)
    fflush(nil)
}

/// Calls one after the other until `end`; returns how long each took.
func call(_ bus: RabbitBus, _ topic: String, until end: ContinuousClock.Instant) async throws -> [Duration] {
    var times: [Duration] = []
    var now = ContinuousClock.now
    while now < end {
        _ = try await bus.call(topic, "echo", payload, context: context, timeout: .seconds(60), version: "1.0")
        let next = ContinuousClock.now
        times.append(now.duration(to: next))
        now = next
    }
    return times
}

func measure(_ bus: RabbitBus, _ topic: String, callers: Int, seconds: Int) async throws {
    let begin = ContinuousClock.now
    let times = try await withThrowingTaskGroup(of: [Duration].self) { group in
        for _ in 0..<callers { group.addTask { try await call(bus, topic, until: begin + .seconds(seconds)) } }
        return try await group.reduce(into: []) { $0 += $1 }
    }
    let took = begin.duration(to: .now).microseconds
    let sorted = times.sorted()
    func percentile(_ share: Int) -> Int64 { sorted[min(sorted.count - 1, sorted.count * share / 100)].microseconds }
    let result: JSONValue = [
        "calls": .int(Int64(times.count)), "seconds": .double(Double(took) / 1_000_000),
        "p50_us": .int(percentile(50)), "p99_us": .int(percentile(99)),
    ]
    say(result.text)
}

/// The bytes of a request and its reply, for the bare echo.
func sizes(_ topic: String) -> JSONValue {
    let random = SystemRandomSource()
    let request = RequestMessage(
        method: "echo", arguments: payload, version: "1.0", context: context, uniqueID: random.bytes(16).hex,
        messageID: random.bytes(16).hex, replyQueue: "reply_\(random.bytes(16).hex)")
    let reply = ReplyMessage(messageID: random.bytes(16).hex, content: .result(payload["x"] ?? .null))
    return [
        "request": .int(Int64(request.body.count)),
        "reply": .int(Int64(reply.body(uniqueID: random.bytes(16).hex).count)),
    ]
}

let arguments = CommandLine.arguments
guard arguments.count >= 7, let port = arguments[1].split(separator: ":").last.flatMap({ Int($0) }),
    let host = arguments[1].split(separator: ":").first, let password = readLine()
else { fatalError("rpc-bench HOST:PORT USER VHOST EXCHANGE TOPIC serve|call|sizes; see its source") }
let topic = arguments[5]
var configuration = RabbitConfiguration(
    url: RabbitURL(
        usesTLS: false, user: arguments[2], addresses: [.init(host: String(host), port: port)],
        virtualHost: arguments[3]),
    password: Secret(password))
configuration.exchange = arguments[4]
guard arguments[6] != "sizes" else {
    say(sizes(topic).text)
    exit(0)
}
let logger = Logger(label: "rpc-bench") { StreamLogHandler.standardError(label: $0) }
let bus = RabbitBus(configuration, name: "bench", logger: logger)
if arguments[6] == "serve" {
    try await bus.serve(topic: topic, server: "bench", endpoint: Echo())
    say("ready")
    while readLine() != nil {}
} else if arguments.count == 9, let callers = Int(arguments[7]), let seconds = Int(arguments[8]) {
    _ = try await call(bus, topic, until: .now + .milliseconds(500))
    say("ready")
    if readLine() != nil { try await measure(bus, topic, callers: callers, seconds: seconds) }
    while readLine() != nil {}
}
await bus.close()
