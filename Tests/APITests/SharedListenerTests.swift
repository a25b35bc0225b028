// SPDX-License-Identifier: Apache-2.0

import API
import Glibc
import Model
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

/// Several services on one listening socket, as workers of one parent have it.
@Suite("Shared listener")
struct SharedListenerTests {
    private static let alice = TestIdentity.projects["alice"] ?? ""
    private static let request =
        "GET /v1.0/\(alice)/instances?limit=20 HTTP/1.1\r\nHost: h\r\nX-Auth-Token: alice\r\n\r\n"

    /// What clients saw.
    private final class Tally: Sendable {
        private let state = Mutex((isOver: false, answers: 0, failures: [String]()))
        var isOver: Bool { state.withLock { $0.isOver } }
        var answers: Int { state.withLock { $0.answers } }
        var failures: [String] { state.withLock { $0.failures } }
        func end() { state.withLock { $0.isOver = true } }
        func add(_ answer: (text: String, isClosed: Bool), _ client: String) {
            state.withLock { state in
                state.answers += 1
                if !answer.text.hasPrefix("HTTP/1.1 200 OK\r\n") {
                    state.failures.append("\(client): '\(answer.text)'")
                }
            }
        }
    }

    /// A connection a request.
    private static func newConnections(_ port: UInt16, _ tally: Tally) throws {
        while !tally.isOver {
            let connection = try RawConnection(port: port)
            connection.send(request)
            tally.add(connection.receive(), "new")
            connection.close()
        }
    }

    /// A connection as long as the server lets it.
    private static func keptConnections(_ port: UInt16, _ tally: Tally) throws {
        while !tally.isOver {
            let connection = try RawConnection(port: port)
            var isKept = true
            while isKept, !tally.isOver {
                connection.send(request)
                let answer = connection.receive()
                tally.add(answer, "kept")
                isKept = !answer.isClosed && !answer.text.lowercased().contains("connection: close\r\n")
                usleep(500)
            }
            connection.close()
        }
    }

    @Test("workers come and go behind one socket without one failed request")
    func rolling() async throws {
        try await withAPI { api in
            let listener = try RawListener()
            defer { listener.close() }
            let tally = Tally()
            let port = listener.port
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                func start() throws -> (RunningAPI, Int32) {
                    // Each worker has a descriptor of its own of the same socket.
                    let descriptor = dup(listener.descriptor)
                    try #require(descriptor >= 0)
                    let running = RunningAPI(api, APIFixture.configuration, listener: descriptor)
                    tasks.addTask {
                        try await running.group.run()
                        close(descriptor)
                    }
                    return (running, descriptor)
                }
                var workers = [try start(), try start()]
                for _ in 0..<2 {
                    tasks.addTask { try await onThread { try Self.newConnections(port, tally) } }
                    tasks.addTask { try await onThread { try Self.keptConnections(port, tally) } }
                }
                for round in 1...8 {
                    let goal = round * 100
                    while tally.answers < goal, tally.failures.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                    // Half of the time nobody is left until the next one comes: requests wait in the backlog.
                    let leaving = round.isMultiple(of: 2) ? [workers.removeFirst()] : workers
                    if !round.isMultiple(of: 2) { workers = [] }
                    for worker in leaving { await worker.0.group.triggerGracefulShutdown() }
                    while workers.count < 2 { workers.append(try start()) }
                }
                tally.end()
                for worker in workers { await worker.0.group.triggerGracefulShutdown() }
                try await tasks.waitForAll()
            }
            #expect(tally.failures == [])
            #expect(tally.answers >= 800)
        }
    }

    @Test("a worker without room leaves connections to the others")
    func full() async throws {
        try await withAPI { api in
            let listener = try RawListener()
            defer { listener.close() }
            var small = APIFixture.configuration
            small.maximumConnections = 3
            let narrow = RunningAPI(api, small, listener: listener.descriptor)
            let wide = RunningAPI(api, APIFixture.configuration, listener: listener.descriptor)
            try await narrow.whileServing {
                try await wide.whileServing {
                    let port = listener.port
                    let answers = try await onThread {
                        var open: [RawConnection] = []
                        defer { for connection in open { connection.close() } }
                        return try (0..<40).map { _ in
                            let connection = try RawConnection(port: port)
                            open.append(connection)
                            connection.send(Self.request)
                            return String(connection.receive().text.prefix(15))
                        }
                    }
                    #expect(answers == Array(repeating: "HTTP/1.1 200 OK", count: 40))
                }
            }
        }
    }

    @Test("a connection that was made before the stop has its first request answered, with the end announced")
    func firstRequest() async throws {
        try await withAPI { api in
            let listener = try RawListener()
            defer { listener.close() }
            let port = listener.port
            let running = RunningAPI(api, APIFixture.configuration, listener: listener.descriptor)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await running.group.run() }
                let (fresh, used) = try await onThread {
                    let fresh = try RawConnection(port: port)
                    let used = try RawConnection(port: port)
                    used.send(Self.request)
                    _ = used.receive()
                    return (fresh, used)
                }
                await running.group.triggerGracefulShutdown()
                let texts = try await onThread {
                    usleep(300_000)
                    return [fresh, used].map { connection in
                        connection.send(Self.request)
                        let answer = connection.receive(responses: 0)
                        connection.close()
                        return (answer.text, answer.isClosed)
                    }
                }
                for (text, isClosed) in texts {
                    #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
                    #expect(text.lowercased().contains("connection: close\r\n"))
                    #expect(isClosed)
                }
                try await tasks.waitForAll()
            }
        }
    }
}
