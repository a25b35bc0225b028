// SPDX-License-Identifier: Apache-2.0

import CRabbitMQ

/// Why the broker could not be used, or did not do what it was asked.
struct RabbitFailure: Error, Hashable, CustomStringConvertible {
    enum Reach: Hashable {
        /// The connection is unusable.
        case connection
        /// One request on a channel of its own was refused; the connection goes on.
        case request
    }

    var reach: Reach
    /// One sentence for operators, without secrets.
    var description: String
    /// AMQP's reply code, such as 406; 0 when the broker said nothing.
    var code = 0
    /// Whether there was no answer in time.
    var isTimeout = false
    /// Whether trying again does not help until somebody changes something.
    var isLasting: Bool { [402, 403, 404, 405, 406, 530].contains(code) }
    /// Whether the broker closes a channel like this over a message that it does not like.
    var isAboutMessage: Bool { [311, 313, 403, 404, 406].contains(code) }

    /// What the library says of a negative status.
    static func library(_ status: Int32, _ what: String) -> RabbitFailure {
        let text = amqp_error_string2(status).map { String(cString: $0) } ?? "status \(status)"
        return RabbitFailure(
            reach: .connection, description: "\(what): \(text)", isTimeout: status == AMQP_STATUS_TIMEOUT.rawValue)
    }

    /// What the broker said when it closed a channel or the connection.
    static func broker(_ code: UInt16, _ text: String, _ what: String, reach: Reach) -> RabbitFailure {
        RabbitFailure(reach: reach, description: "\(what): the broker says \(code) \(text)", code: Int(code))
    }
}

extension amqp_bytes_t {
    var string: String {
        guard let bytes, len > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: len), as: UTF8.self)
    }

    var array: [UInt8] {
        guard let bytes, len > 0 else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: len))
    }
}
