// SPDX-License-Identifier: Apache-2.0

import CHiredis
import Glibc
import TrovePluginKit

/// One login to a Redis server; closed with the value.
///
/// Not safe for two threads at a time; any thread may use it. Each wait ends after `timeoutSeconds`.
package final class Connection {
    /// Limit of a connect, of a read and of a write.
    package let timeoutSeconds: Int
    private let context: UnsafeMutablePointer<redisContext>

    /// Connects over TCP and logs in.
    ///
    /// - Throws: `PluginFailure` of the connection's or the engine's error.
    package init(address: String, port: Int, user: String, password: String, timeoutSeconds: Int) throws {
        let limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        guard let context = redisConnectWithTimeout(address, Int32(port), limit) else {
            throw PluginFailure(.exhausted, "no memory for a connection")
        }
        self.context = context
        self.timeoutSeconds = timeoutSeconds
        guard context.pointee.err == 0 else { throw lost("no connection to \(address):\(port)") }
        guard redisSetTimeout(context, limit) == REDIS_OK else { throw lost("no connection to \(address):\(port)") }
        try run(["AUTH", user, password], "no login as \(user)")
    }

    deinit { redisFree(context) }

    /// The connection's socket, for bytes that are no replies. `run` must not be called afterwards.
    package var descriptor: Int32 { context.pointee.fd }

    /// Runs a command.
    ///
    /// - Parameters:
    ///   - command: Its words; they may hold secrets, so no message repeats them.
    ///   - purpose: What failed, for messages, e.g. `create user`.
    /// - Throws: `PluginFailure` of the engine's error.
    @discardableResult
    package func run(_ command: [String], _ purpose: String) throws -> Reply {
        try append(command, purpose)
        return try reply(purpose)
    }

    /// Runs commands as one: all of them or, if the engine refuses one when it is queued, none.
    ///
    /// - Throws: `PluginFailure` of the first error.
    package func run(together commands: [[String]], _ purpose: String) throws {
        let all = [["MULTI"]] + commands + [["EXEC"]]
        for command in all { try append(command, purpose) }
        var refusal: PluginFailure?
        for _ in all {
            do {
                _ = try reply(purpose)
            } catch let failure as PluginFailure {
                if EngineError.isLostConnection(failure) { throw failure }
                refusal = refusal ?? failure
            }
        }
        if let refusal { throw refusal }
    }

    /// Sends a command whose answer is read from `descriptor`.
    package func send(_ command: [String], _ purpose: String) throws {
        try append(command, purpose)
        var isDone: Int32 = 0
        while isDone == 0 {
            guard redisBufferWrite(context, &isDone) == REDIS_OK else { throw lost(purpose) }
        }
    }

    private func append(_ command: [String], _ purpose: String) throws {
        let words = command.map { Array($0.utf8) }
        let lengths = words.map(\.count)
        // One block for all words: a pointer to each lives as long as the call.
        let bytes = words.flatMap { $0 }
        let status = bytes.withUnsafeBytes { block in
            let start = block.bindMemory(to: CChar.self).baseAddress ?? Self.empty
            var offset = 0
            var pointers: [UnsafePointer<CChar>?] = lengths.map { length in
                defer { offset += length }
                return start + offset
            }
            return lengths.withUnsafeBufferPointer {
                redisAppendCommandArgv(context, Int32(command.count), &pointers, $0.baseAddress)
            }
        }
        guard status == REDIS_OK else { throw lost(purpose) }
    }

    // Constant: where a command without any bytes would point to.
    nonisolated(unsafe) private static let empty = UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))

    private func reply(_ purpose: String) throws -> Reply {
        var raw: UnsafeMutableRawPointer?
        guard redisGetReply(context, &raw) == REDIS_OK, let raw else { throw lost(purpose) }
        defer { freeReplyObject(raw) }
        let reply = try Reply(raw.assumingMemoryBound(to: redisReply.self), purpose)
        // In a transaction's list, the errors of single commands are items.
        if let error = reply.firstError { throw EngineError.failure(error, purpose: purpose) }
        return reply
    }

    private func lost(_ purpose: String) -> PluginFailure {
        let text = withUnsafeBytes(of: context.pointee.errstr) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return EngineError.lostConnection("\(purpose): \(text.isEmpty ? "the connection is lost" : text)")
    }
}
