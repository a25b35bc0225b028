// SPDX-License-Identifier: Apache-2.0

import Calls
import Glibc
import GuestAgent
import Logging
import Messaging
import Model
import ObjectStore
import PluginHost

/// What the process does.
enum AgentMain {
    static let version = Product.version

    /// Runs the agent beside the main thread, which waits for signals, and ends the process.
    static func start(_ path: String) -> Never {
        // Before there are threads that would take them; children start with none blocked.
        TerminationSignals.block()
        signal(SIGPIPE, SIG_IGN)
        Task.detached { exit(await run(path)) }
        TerminationSignals.receive()
    }

    /// - Returns: The exit status.
    private static func run(_ path: String) async -> Int32 {
        do {
            let configuration = try GuestConfiguration(file: path)
            switch configuration.mode {
            case .serve: return try await serve(configuration)
            case .initialize:
                try await TemplateInitialization.run(
                    configuration, probeCommand: probeCommand, logger: logger(configuration))
                return 0
            }
        } catch {
            complain("\(error)")
            return 1
        }
    }

    static func probe(_ file: String) -> Int32 { PluginProbe.run(file: file) }

    private static func serve(_ configuration: GuestConfiguration) async throws -> Int32 {
        let lock: AgentLock
        do {
            lock = try AgentLock(stateDirectory: configuration.stateDirectory)
        } catch {
            guard error.code == .busy else { throw error }
            complain("\(error.message): nothing to do")
            return 0
        }
        guard let place = configuration.bus else {
            complain("the configuration has no bus")
            return 1
        }
        TerminationSignals.expect()
        let logger = logger(configuration)
        let bus = place.open(instanceID: configuration.instanceID, logger: logger)
        let service = try GuestAgentService(
            configuration: configuration, conductor: ConductorClient(bus),
            objectStore: DirectoryObjectStore(root: configuration.objectStoreDirectory), probeCommand: probeCommand,
            fault: PluginFault.takeOver(configuration.stateDirectory + "/fault"), logger: logger)
        try await service.start()
        let registration = Task {
            do {
                try await bus.serve(
                    topic: GuestTopic.name(configuration.instanceID), server: configuration.instanceID,
                    endpoint: GuestDispatcher(service))
                logger.notice("the agent serves", metadata: ["instance.id": "\(configuration.instanceID)"])
            } catch {
                logger.error("the agent cannot serve", metadata: ["error": "\(error)"])
            }
        }
        let number = await TerminationSignals.wait()
        logger.notice("the agent ends, the engine goes on", metadata: ["signal": "\(number)"])
        registration.cancel()
        // A plugin that does not let go must not hold the agent; the engine is not concerned.
        Task.detached {
            try? await Task.sleep(for: .seconds(8))
            exit(0)
        }
        await service.stop()
        await bus.close()
        return withExtendedLifetime(lock) { 0 }
    }

    private static func logger(_ configuration: GuestConfiguration) -> Logger {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "trove-guest")
        logger[metadataKey: "instance.id"] = "\(configuration.instanceID)"
        return logger
    }

    /// This program, asked to try one library.
    private static var probeCommand: [String] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        return [own, "probe"]
    }

    static func complain(_ text: String) {
        let line = Array("trove-guest: \(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
