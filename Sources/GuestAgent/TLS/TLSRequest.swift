// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model

/// The arguments of `ssl_action`.
enum TLSRequest {
    /// - Throws: `TypeError` for arguments that cannot be understood, `BadRequest` for a mode that is none.
    static func generation(_ arguments: [String: JSONValue]) throws(RPCFault) -> TLSGeneration {
        let method = GuestVerb.sslAction.rawValue
        let isEnable = arguments["enable"] == true
        guard isEnable != (arguments["disable"] == true) else {
            throw RPCFault.typeError("\(method)() needs one of the arguments 'enable' and 'disable' to be true")
        }
        guard isEnable else { return .off }
        let mode = arguments["mode"]?.stringValue ?? TLSGeneration.Mode.basic.rawValue
        guard let mode = TLSGeneration.Mode(rawValue: mode), mode != .off else {
            throw RPCFault(
                className: "BadRequest",
                message: "Unknown SSL mode. Available options are: basic, enforced, mtls")
        }
        guard let container = arguments["container"]?.objectValue else {
            throw RPCFault.typeError("\(method)() argument 'container' must be an object with PEM texts")
        }
        func text(_ name: String) throws(RPCFault) -> String {
            guard let text = container[name]?.stringValue, text.utf8.count <= 256 << 10 else {
                throw RPCFault.typeError("\(method)() argument 'container' must have a PEM text '\(name)'")
            }
            return text
        }
        var generation = TLSGeneration(mode: mode)
        generation.certificate = lined(try text("certificate"))
        generation.privateKey = Secret(lined(try text("private_key")))
        if let authority = container["ca"], !authority.isNull, authority != "" {
            generation.authority = lined(try text("ca"))
        }
        return generation
    }

    /// With an end of line at its end, which programs that append to a file forget.
    private static func lined(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }
}
