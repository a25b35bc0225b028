// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model
import PluginHost
import Synchronization

/// Programs for the plugin of a real engine: `trove.process/1` as in the guest.
final class EnginePrograms: Sendable {
    static let shared = EnginePrograms()

    private let user = Mutex<ProcessConfinement?>(nil)

    /// Whom programs "as" the engine run as; nil: no programs run at all.
    var confinement: ProcessConfinement? {
        get { user.withLock { $0 } }
        set { user.withLock { $0 = newValue } }
    }

    func run(
        _ handle: OpaquePointer?, _ request: trove_str, _ input: Int32, _ output: Int32,
        _ response: UnsafeMutablePointer<trove_str>?
    ) -> Int32 {
        guard let confinement else {
            return ObservedServices.fail(handle, "process", Int(TROVE_UNAVAILABLE), "no programs run in this check")
        }
        guard let document = try? JSONValue(parsing: [UInt8](borrowed: request)) else {
            ChildReporter.shared.fail("services.requests", "The request of a program is not JSON.")
            return ObservedServices.fail(handle, "process", Int(TROVE_INVALID_ARGUMENT), "the request is not JSON")
        }
        let none = ContinuousClock.now
        let (deadline, cancelFD) = ObservedHost.shared.with(handle, "process", else: (none, Int32(-1))) { call in
            (call.deadline, call.openCancelDescriptor())
        }
        let result = ConformanceSupport.runProgram(
            document, input: input, output: output, engine: confinement, deadline: deadline, cancelFD: cancelFD)
        switch result {
        case .failure(let error):
            return ObservedServices.fail(handle, "process", Int(Status.number(error.code)), error.message)
        case .success(let document):
            return ObservedHost.shared.with(handle, "process", else: Int32(TROVE_PRECONDITION_FAILED)) { call in
                response?.pointee = call.lend(Array(document.serialized))
                return Int32(TROVE_OK)
            }
        }
    }
}

extension Status {
    /// The statuses that running a program can end with.
    static func number(_ code: PluginError.Code) -> Int32 {
        switch code {
        case .cancelled: Int32(TROVE_CANCELLED)
        case .timedOut: Int32(TROVE_TIMED_OUT)
        case .notFound: Int32(TROVE_NOT_FOUND)
        case .invalidArgument: Int32(TROVE_INVALID_ARGUMENT)
        default: Int32(TROVE_UNAVAILABLE)
        }
    }
}
