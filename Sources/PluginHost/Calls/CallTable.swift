// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// What stands in a `trove_call *`: never an address.
struct CallToken: Sendable {
    let bits: UInt
    var pointer: OpaquePointer? { OpaquePointer(bitPattern: bits) }
}

/// Where a `trove_call *` leads to: a slot number and a generation, disguised as a pointer that is never followed. A
/// stale one is a miss that is logged.
final class CallTable: Sendable {
    static let shared = CallTable()

    private struct Slot {
        var generation: UInt = 1
        var call: PluginCall?
        /// Whose call it was, to know whom to blame for a stale one.
        var owner: HostContext
    }

    private struct State {
        var slots: [Slot] = []
        var free: [Int] = []
    }

    private static let indexBits: UInt = 20
    private let state = Mutex(State())

    /// Opens a call. A process has room for a million at once; the pool's threads and queues are far fewer.
    func insert(_ call: PluginCall) -> CallToken? {
        state.withLock { state in
            let index: Int
            if let reused = state.free.popLast() {
                index = reused
                state.slots[index].generation &+= 1
                state.slots[index].call = call
                state.slots[index].owner = call.host
            } else {
                guard state.slots.count < 1 << Self.indexBits - 1 else { return nil }
                index = state.slots.count
                state.slots.append(Slot(call: call, owner: call.host))
            }
            return CallToken(bits: state.slots[index].generation << Self.indexBits | UInt(index + 1))
        }
    }

    /// Closes a call.
    func remove(_ token: CallToken) {
        state.withLock { state in
            guard let index = Self.index(token.pointer, in: state) else { return }
            state.slots[index].call = nil
            state.free.append(index)
        }
    }

    /// The open call that a plugin means. A miss is logged.
    func find(_ pointer: OpaquePointer?, _ function: StaticString) -> PluginCall? {
        let (call, owner): (PluginCall?, HostContext?) = state.withLock { state in
            if let index = Self.index(pointer, in: state) { return (state.slots[index].call, nil) }
            let index = Int(UInt(bitPattern: pointer) & (1 << Self.indexBits - 1)) - 1
            return (nil, state.slots.indices.contains(index) ? state.slots[index].owner : nil)
        }
        if call == nil {
            owner?.misbehaved("plugin used a call that is over", ["host.function": "\(function)"])
        }
        return call
    }

    private static func index(_ pointer: OpaquePointer?, in state: State) -> Int? {
        let bits = UInt(bitPattern: pointer)
        let index = Int(bits & (1 << indexBits - 1)) - 1
        guard state.slots.indices.contains(index), state.slots[index].call != nil,
            state.slots[index].generation == bits >> indexBits
        else { return nil }
        return index
    }
}
