// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

public import CTrovePlugin
import Glibc

/// Answers from a thread of its own: for measuring how many operations a host can have open at once.
///
/// Its table is made by hand, as the kit has no operations that end later.
private enum Later {
    /// A call that is answered later; the handle is a number, never followed.
    struct Job {
        var call: UInt
        var value: Int64
    }

    struct Queue {
        var jobs: [Job] = []
        var thread: pthread_t?
        var isEnding = false
    }

    // Written once in init, while nothing else runs in the plugin.
    nonisolated(unsafe) static var host: UnsafePointer<trove_host_1>?
    /// Guarded by `mutex`, which the thread sanitizer sees.
    nonisolated(unsafe) private static var queue = Queue()
    nonisolated(unsafe) private static let mutex: UnsafeMutablePointer<pthread_mutex_t> = {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        return mutex
    }()
    /// Counts jobs that wait, and one more for the end.
    nonisolated(unsafe) static let waiting: UnsafeMutablePointer<sem_t> = {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        return semaphore
    }()

    private static func locked<Result>(_ body: (inout Queue) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&queue)
    }

    static func answer() {
        while true {
            while sem_wait(waiting) != 0 {}
            let jobs: [Job]? = locked { queue in
                guard !queue.jobs.isEmpty else { return queue.isEnding ? nil : [] }
                defer { queue.jobs = [] }
                return queue.jobs
            }
            guard let jobs else { return }
            for job in jobs { finish(job) }
        }
    }

    private static func finish(_ job: Job) {
        guard let host, let call = OpaquePointer(bitPattern: job.call) else { return }
        var text = String(job.value)
        let status = text.withUTF8 { host.pointee.emit?(call, $0.baseAddress, $0.count) ?? Int32(TROVE_INTERNAL) }
        host.pointee.complete?(call, status)
    }

    static func take(_ call: OpaquePointer?, _ value: Int64) -> trove_status {
        let isTaken = locked { queue in
            if queue.thread == nil {
                var thread = pthread_t()
                let code = pthread_create(
                    &thread, nil,
                    { _ in
                        Later.answer(); return nil
                    }, nil)
                guard code == 0 else { return false }
                queue.thread = thread
            }
            queue.jobs.append(Job(call: UInt(bitPattern: call), value: value))
            return true
        }
        guard isTaken else { return Int32(TROVE_EXHAUSTED) }
        sem_post(waiting)
        return Int32(TROVE_PENDING)
    }

    static func end() {
        let thread = locked { queue in
            queue.isEnding = true
            return queue.thread
        }
        guard let thread else { return }
        sem_post(waiting)
        pthread_join(thread, nil)
    }
}

private func constant<Value>(_ values: Value...) -> UnsafePointer<Value> {
    let memory = UnsafeMutablePointer<Value>.allocate(capacity: values.count)
    memory.initialize(from: values, count: values.count)
    return UnsafePointer(memory)
}

private func text(_ value: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(value.utf8Start).assumingMemoryBound(to: CChar.self)
}

private func action(
    _ name: StaticString, _ arguments: UnsafePointer<trove_arg_1>, _ count: UInt32, _ function: trove_fn
) -> trove_action_1 {
    trove_action_1(
        size: UInt32(MemoryLayout<trove_action_1>.size), flags: UInt32(TROVE_ACTION_READ_ONLY), name: text(name),
        summary: text("measured"), args: arguments, arg_count: count, timeout_s: 0, fn: function, user: nil)
}

// Made once, before the entry returns; constant from then on.
nonisolated(unsafe) private let actions: UnsafePointer<trove_actions_1> = {
    let later: @convention(c) (OpaquePointer?, Int64) -> trove_status = { Later.take($0, $1) }
    let nothing: @convention(c) (OpaquePointer?, Int64, UnsafePointer<trove_str>?) -> trove_status = { _, _, _ in
        Int32(TROVE_OK)
    }
    let number = trove_arg_1(
        name: text("value"), type: UInt32(TROVE_T_I64), flags: 0, summary: text("what is answered"))
    let first = trove_arg_1(name: text("number"), type: UInt32(TROVE_T_I64), flags: 0, summary: text("any number"))
    let second = trove_arg_1(name: text("text"), type: UInt32(TROVE_T_STR), flags: 0, summary: text("any text"))
    let items = constant(
        action("later", constant(number), 1, unsafeBitCast(later, to: trove_fn.self)),
        action("nothing", constant(first, second), 2, unsafeBitCast(nothing, to: trove_fn.self)))
    return constant(trove_actions_1(size: UInt32(MemoryLayout<trove_actions_1>.size), count: 2, items: items))
}()

nonisolated(unsafe) private let plugin: UnsafePointer<trove_plugin_1> = constant(
    trove_plugin_1(
        size: UInt32(MemoryLayout<trove_plugin_1>.size), magic: TROVE_MAGIC, abi_major: UInt16(TROVE_ABI_MAJOR),
        abi_minor: UInt16(TROVE_ABI_MINOR), flags: 0, id: text("org.trove.bench.swift"), version: text("1.0.0"),
        init: { host in
            Later.host = host
            return Int32(TROVE_OK)
        },
        deinit: { Later.end() },
        get_extension: { id in
            guard let id, String(cString: id) == TROVE_EXT_ACTIONS else { return nil }
            return UnsafeRawPointer(actions)
        }))

/// The one exported symbol.
@c @implementation
public func trove_plugin_entry(_ major: UInt32, _ minor: UInt32) -> UnsafePointer<trove_plugin_1>? {
    major == TROVE_ABI_MAJOR ? plugin : nil
}
