// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

import Glibc
import TrovePluginKit

/// One instance, as its guest agent drives it. What the engine cannot do is in protocols that this type does not conform to.
final class Instance: DatastorePlugin {
    private let instance: InstanceDocument
    private let server: Server

    init(instance: InstanceDocument, call: Call) throws {
        self.instance = instance
        server = Server(address: instance.address, port: instance.port)
    }

    private var memoryPath: String { instance.stateDirectory + "/memory" }

    func prepare(_ request: PrepareRequest, call: Call) throws {
        guard !request.isRestored else {
            throw PluginFailure(.unsupported, "this datastore keeps no data that could be restored")
        }
        guard request.rootPassword == nil else {
            throw PluginFailure(.unsupported, "this datastore has no superuser")
        }
        let words = request.configContents.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, words[0] == "memory", let memory = UInt32(words[1]) else {
            throw PluginFailure(.invalidArgument, "the member 'config_contents' must be 'memory MIB'")
        }
        try PluginFiles.write("\(memory)\n", to: memoryPath, .secret)
    }

    /// The host starts the engine with the instance's uid, in its own cgroup, and stays its parent.
    func launch(call: Call) throws -> LaunchDocument {
        guard let text = try PluginFiles.read(memoryPath), let memory = text.split(separator: "\n").first else {
            throw PluginFailure(.preconditionFailed, "the instance has not been prepared")
        }
        var argv = [
            Server.program, "-l", instance.address, "-p", "\(instance.port)", "-U", "0", "-m", String(memory),
        ]
        if instance.uid == 0 { argv += ["-u", "root"] }
        return LaunchDocument(
            argv: argv, ready: .tcp, port: instance.port, stopTimeoutSeconds: 10, startTimeoutSeconds: 30)
    }

    /// Returns once the engine answers over the instance's own address.
    func started(call: Call) throws {
        while true {
            do {
                let answer = try server.ask("version\r\n", until: "\r\n", limit: .seconds(2), call: call)
                guard answer.hasPrefix("VERSION ") else {
                    throw PluginFailure(.internal, "the server's answer makes no sense")
                }
                return
            } catch let failure as PluginFailure where failure.status == .unavailable || failure.status == .timedOut {
                guard let left = call.timeLeft, left > .milliseconds(100) else { throw failure }
                var cancelled = pollfd(fd: call.cancelDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
                poll(&cancelled, 1, 20)
            }
        }
    }

    func status(call: Call) throws -> EngineStatus {
        do {
            let answer = try server.ask("stats\r\n", until: "END\r\n", limit: .seconds(4), call: call)
            return EngineStatus(
                .healthy, dataBytes: Server.statistic(answer, "bytes"),
                connections: UInt32(clamping: Server.statistic(answer, "curr_connections")))
        } catch let failure as PluginFailure where failure.status == .unavailable {
            return EngineStatus(.shutdown)
        } catch let failure as PluginFailure where failure.status == .timedOut {
            return EngineStatus(.blocked)
        }
    }
}
