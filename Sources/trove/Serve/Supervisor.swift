// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The parent process: owns the listening socket and keeps its workers running behind it.
///
/// A connection that arrives while no worker runs waits in the socket's backlog. SIGHUP is passed on; SIGUSR2 replaces every
/// worker by one of the program that is installed now, and the old one stops when the new one serves.
final class Supervisor {
    private let home: Home
    private let roles: Set<Role>
    private let executable: String
    private let listener: Int32
    private let address: ListenAddress
    private let scheme: String
    private let lock: Int32
    /// Among the processes with these roles on this home.
    private let number: Int
    private let signals: Int32
    private let crashAt: String?
    private var slots: [Slot]
    private var workers: [WorkerProcess] = []
    private var isStopping = false
    private var hasSaidReady = false
    /// What the process ends with once all workers are gone.
    private var code: Int32 = 0

    private struct Slot {
        /// Milliseconds before the next start after a failure.
        var pause: Int64 = 100
        /// When it is started again; nil while it has a worker.
        var startAt: Int64? = 0
        var hasBeenReady = false
    }

    /// - Parameters:
    ///   - roles: All of them: this is the home's only control plane.
    ///   - workerCount: Processes behind the socket; more than one for the API alone.
    init(
        home: Home, roles: Set<Role>, address: ListenAddress, workerCount: Int, hasTLS: Bool, crashAt: String?
    ) throws {
        self.home = home
        self.roles = roles
        self.crashAt = crashAt
        scheme = hasTLS ? "https" : "http"
        slots = Array(repeating: Slot(), count: workerCount)
        executable = try Installation().executable
        try home.prepare()
        (lock, number) = roles == Role.all ? (try HomeLock.take(home), 1) : try RoleLock.take(home, roles)
        if roles.contains(.api) {
            (listener, self.address) = try InheritedSocket.take() ?? address.listen()
        } else {
            self.address = address
            listener = open("/dev/null", O_RDWR | O_CLOEXEC)
            guard listener >= 0 else { throw StartError("cannot open /dev/null: \(String(cString: strerror(errno)))") }
        }
        signals = clinux_signal_fd([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR2], 5)
        guard signals >= 0 else { throw StartError("cannot watch signals: \(String(cString: strerror(-signals)))") }
        signal(SIGPIPE, SIG_IGN)
    }

    /// Runs until a signal asks to stop.
    ///
    /// - Returns: The exit code.
    func run() throws -> Int32 {
        if geteuid() != 0, roles.contains(.taskmanager) { Output.error(Self.withoutRoot) }
        while true {
            if !isStopping { try startDue() }
            if isStopping, workers.isEmpty { return code }
            watch()
        }
    }

    /// What an operator who starts the control plane as an ordinary user must know.
    private static var withoutRoot: String {
        """
        running without root: volumes are plain directories without a size limit, and all databases run as uid \(geteuid()) \
        without limits of memory and processor; nothing but their passwords keeps them apart. Run as root for the rest.
        """
    }

    // MARK: Starting

    private func startDue() throws {
        let now = Self.milliseconds()
        for index in slots.indices {
            guard let time = slots[index].startAt, time <= now else { continue }
            workers.append(try makeWorker(index))
            slots[index].startAt = nil
        }
    }

    private func makeWorker(_ slot: Int) throws -> WorkerProcess {
        var arguments = [executable, "worker", "--home", home.path, "--address", "\(address)", "--slot", "\(slot)"]
        if roles != Role.all {
            arguments +=
                ["--number", "\(number)"] + Role.allCases.filter(roles.contains).flatMap { ["--role", $0.rawValue] }
        }
        if let crashAt { arguments += ["--crash-at", crashAt] }
        return try WorkerProcess(slot: slot, arguments: arguments, listener: listener, lock: lock)
    }

    /// Starts a second worker in each slot; whoever it succeeds stops when it is ready.
    private func replaceWorkers() {
        guard roles != Role.all else {
            Output.error("the only control plane of a home cannot be replaced while it runs; stop and start it")
            return
        }
        for slot in slots.indices where workers.filter({ $0.slot == slot && !$0.isLeaving }).count == 1 {
            do { workers.append(try makeWorker(slot)) } catch { Output.error("\(error)") }
        }
    }

    // MARK: Watching

    private func watch() {
        var polled = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
        for worker in workers {
            polled.append(pollfd(fd: worker.pidfd, events: Int16(POLLIN), revents: 0))
            polled.append(pollfd(fd: worker.isReady ? -1 : worker.lifeline, events: Int16(POLLIN), revents: 0))
        }
        let dues = workers.map(\.killAt) + (isStopping ? [] : slots.compactMap(\.startAt))
        let due = dues.min() ?? .max
        _ = poll(&polled, nfds_t(polled.count), due == .max ? -1 : Int32(max(0, due - Self.milliseconds())))
        if polled[0].revents != 0 {
            let signal = clinux_read_signal(signals)
            if signal != 0 { take(signal) }
        }
        let now = Self.milliseconds()
        for (index, worker) in workers.enumerated() where 2 * index + 2 < polled.count {
            worker.endIfDue(now: now)
            let news = worker.news(
                lifelineEvents: polled[2 * index + 2].revents, processEvents: polled[2 * index + 1].revents)
            switch news {
            case .ready: becameReady(worker)
            case .ended(let code, let signal): ended(worker, code: code, signal: signal)
            case nil: break
            }
        }
    }

    private func take(_ signal: Int32) {
        switch signal {
        case SIGHUP: for worker in workers { worker.hangup() }
        case SIGUSR2: if !isStopping { replaceWorkers() }
        default: stop()
        }
    }

    private func stop() {
        isStopping = true
        for worker in workers { worker.stop(now: Self.milliseconds()) }
    }

    private func becameReady(_ worker: WorkerProcess) {
        slots[worker.slot].hasBeenReady = true
        slots[worker.slot].pause = 100
        // In the order of their starts: one that was started since, of a newer program perhaps, is yet to become ready.
        for old in workers.prefix(while: { $0 !== worker }) where old.slot == worker.slot && !old.isLeaving {
            old.stop(now: Self.milliseconds())
        }
        guard !hasSaidReady, slots.allSatisfy(\.hasBeenReady) else { return }
        hasSaidReady = true
        Output.line("trove: ready " + (roles.contains(.api) ? "\(scheme)://\(address.urlAuthority)" : Role.text(roles)))
    }

    private func ended(_ worker: WorkerProcess, code: Int32, signal: Int32) {
        workers.removeAll { $0 === worker }
        if worker.isLeaving || isStopping {
            if isStopping, code != 0 { self.code = max(self.code, 1) }
            return
        }
        let reason = code >= 0 ? "ended with code \(code)" : "was ended by signal \(signal)"
        guard !workers.contains(where: { $0.slot == worker.slot }) else {
            return Output.error("the new worker \(reason); the old one goes on")
        }
        // A worker of a slot that has served before may be refused for what an operator is just changing.
        if code == EX_CONFIG, !slots[worker.slot].hasBeenReady || slots.count == 1 {
            self.code = code
            return stop()
        }
        let pause = slots[worker.slot].pause
        Output.error("the worker \(reason); starting it again in \(pause) ms")
        slots[worker.slot].startAt = Self.milliseconds() + pause
        slots[worker.slot].pause = min(pause * 2, 5000)
    }

    private static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
