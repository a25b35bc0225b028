// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import TestSupport
import Testing

@testable import Messaging

@Suite("RequestRunner", .timeLimit(.minutes(1)))
struct RequestRunnerTests {
    private func runner(
        version: String = "1.3", _ body: @escaping @Sendable (RPCRequest) async throws -> JSONValue
    ) -> RequestRunner {
        RequestRunner(
            endpoint: ClosureEndpoint(version: version, body), topic: "t", meters: RPCMeters(side: "server"),
            random: SeededRandomSource(seed: 1), logger: .quiet
        )
    }

    /// Runs bodies and returns the replies.
    private func replies(_ runner: RequestRunner, _ bodies: [String]) async throws -> [ReplyMessage] {
        let sent = Recorder<[UInt8]>()
        for body in bodies {
            await runner.run(Array(body.utf8), deadline: nil) { queue, _, body in
                #expect(queue == "reply_1")
                sent.append(body())
                return .delivered
            }
        }
        return try sent.values.map { try ReplyMessage(body: $0) }
    }

    private func failure(_ runner: RequestRunner, _ body: String) async throws -> RPCFailure? {
        guard case .failure(let failure)? = try await replies(runner, [body]).first?.content else { return nil }
        return failure
    }

    @Test("a call is answered, a cast is not")
    func kinds() async throws {
        let runner = runner { request in .bool(request.isCall) }
        let answers = try await replies(
            runner,
            [
                #"{"method": "x", "_msg_id": "1", "_reply_q": "reply_1", "_unique_id": "a"}"#,
                #"{"method": "x", "_unique_id": "b"}"#, #"{"method": "x", "_msg_id": null, "_reply_q": "reply_1"}"#,
                #"{"method": "x", "_msg_id": "2", "_reply_q": null}"#,
            ])
        #expect(answers == [ReplyMessage(messageID: "1", content: .result(true))])
    }

    @Test("a repeated unique id is dropped without a reply")
    func duplicates() async throws {
        let calls = Recorder<String>()
        let runner = runner { request in
            calls.append(request.method)
            return .null
        }
        let body = #"{"method": "x", "_msg_id": "1", "_reply_q": "reply_1", "_unique_id": "same"}"#
        #expect(try await replies(runner, [body, body]).count == 1)
        #expect(calls.values == ["x"])
    }

    @Test("bodies that cannot be read are dropped")
    func unreadable() async throws {
        let runner = runner { _ in .null }
        #expect(try await replies(runner, ["{", #"{"oslo.version": "2.1", "oslo.message": "{}"}"#]).isEmpty)
    }

    @Test(
        "versions are checked before the endpoint",
        arguments: [("1.0", true), ("1.3", true), ("1.4", false), ("2.0", false), ("1.3.1", false)])
    func versions(_ version: String, _ isServed: Bool) async throws {
        let body = #"{"method": "x", "_msg_id": "1", "_reply_q": "reply_1", "version": "\#(version)"}"#
        let failure = try await failure(runner { _ in true }, body)
        #expect((failure == nil) == isServed)
        if let failure {
            #expect(failure.className == "UnsupportedVersion")
            #expect(failure.message == "Endpoint does not support RPC version \(version). Attempted method: x")
        }
    }

    @Test("names that begin with an underscore are no methods")
    func hidden() async throws {
        let body = #"{"method": "_x", "_msg_id": "1", "_reply_q": "reply_1"}"#
        let failure = try await failure(runner { _ in true }, body)
        #expect(failure?.className == "NoSuchMethod" && failure?.module == "oslo_messaging.rpc.dispatcher")
        #expect(failure?.message == "Endpoint does not support RPC method _x")
    }

    @Test("args that are null are a failure")
    func nullArguments() async throws {
        let body = #"{"method": "x", "args": null, "_msg_id": "1", "_reply_q": "reply_1"}"#
        #expect(try await failure(runner { _ in true }, body)?.className == "AttributeError")
    }

    @Test("a fault keeps its class, another error tells no more than its own description or type")
    func failures() async throws {
        struct Plain: Error { var password = "hidden" }
        let body = #"{"method": "x", "_msg_id": "1", "_reply_q": "reply_1"}"#
        let fault = try await failure(runner { _ in throw RPCFault(className: "UserNotFound", message: "no u") }, body)
        #expect(
            fault == RPCFailure(className: "UserNotFound", module: "trove.common.exception", message: "no u"))
        let plain = try await failure(runner { _ in throw Plain() }, body)
        #expect(plain == RPCFailure(className: "RuntimeError", module: "builtins", message: "x failed with Plain"))
        let described = try await failure(runner { _ in throw MessagingError(.timedOut, "late") }, body)
        #expect(described?.message == "timedOut: late")
    }

    @Test("a monitored call gets signs of life until it ends")
    func signsOfLife() async throws {
        let signs = Recorder<ReplyMessage>()
        let runner = runner { _ in
            _ = await signs.wait(for: 1)
            return 5
        }
        let body = #"{"method": "x", "_msg_id": "1", "_reply_q": "reply_1", "_timeout": 2}"#
        await runner.run(Array(body.utf8), deadline: nil) { _, _, body in
            if let reply = try? ReplyMessage(body: body()) { signs.append(reply) }
            return .delivered
        }
        #expect(signs.values.last == ReplyMessage(messageID: "1", content: .result(5)))
        let sign = ReplyMessage(messageID: "1", content: .result(.null), isEnding: false)
        #expect(signs.values.count >= 2 && signs.values.dropLast().allSatisfy { $0 == sign })
    }

    @Test("a result that is too large becomes a failure that says so")
    func tooLarge() async throws {
        let sent = Recorder<ReplyMessage>()
        let body = #"{"method": "x", "_msg_id": "1", "_reply_q": "reply_1"}"#
        await runner { _ in "long" }.run(Array(body.utf8), deadline: nil) { _, _, body in
            guard let reply = try? ReplyMessage(body: body()) else { return .undeliverable }
            sent.append(reply)
            return sent.values.count == 1 ? .tooLarge(4711) : .delivered
        }
        guard case .failure(let failure)? = sent.values.last?.content else {
            Issue.record("no failure was sent")
            return
        }
        #expect(failure.message.contains("more than the bus carries"))
    }
}
