// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// One function that takes a JSON request, ready to be called.
struct Target {
    typealias Function = (OpaquePointer?, trove_str) -> Int32

    /// E.g. `datastore.create_users`.
    var name: String
    /// A request that is right by its schema.
    var sample: JSONValue
    /// Members without which a request is wrong; a function that changes or judges something must then refuse.
    var needs: [String]
    /// What is no JSON object must be refused, not taken for an empty one.
    var isStrict: Bool
    var reply: Reply
    /// What it emits may hold the request's secret, because the caller asked for just that.
    var mayEmitSecret = false
    var function: Function

    init(
        _ name: String, _ sample: JSONValue, needs: [String] = [], isStrict: Bool = false, reply: Reply = .nothing,
        mayEmitSecret: Bool = false,
        function: @escaping Function
    ) {
        self.name = name
        self.sample = sample
        self.needs = needs
        self.isStrict = isStrict || !needs.isEmpty
        self.reply = reply
        self.mayEmitSecret = mayEmitSecret
        self.function = function
    }

    func plan(limit: Duration = .seconds(5)) -> CallPlan {
        CallPlan(limit: limit, reply: reply, mayEmitSecret: mayEmitSecret)
    }

    /// Calls it with bytes of any kind.
    func call(
        _ caller: Caller, bytes: [UInt8], check: String = "call.deadline", plan: CallPlan? = nil
    ) throws -> CallOutcome {
        try caller.call(name, bytes, check: check, plan: plan ?? self.plan(), function)
    }

    func call(_ caller: Caller, _ request: JSONValue, check: String = "call.deadline") throws -> CallOutcome {
        try call(caller, bytes: Array(request.serialized), check: check)
    }
}
