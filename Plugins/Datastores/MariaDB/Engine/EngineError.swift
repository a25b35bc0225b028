// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// The engine's error numbers in the boundary's words.
///
/// Source: MariaDB error codes (server below 2000 and from 3000, client library 2000 to 2999).
enum EngineError {
    /// The failure that an error number stands for; the number is in `details` as `errno`.
    static func failure(number: Int, text: String, purpose: String) -> PluginFailure {
        PluginFailure(
            status(number), "\(purpose): \(text) (error \(number))", details: ["errno": .int(Int64(number))])
    }

    /// The error number of a failure, if the engine gave it.
    static func number(of failure: PluginFailure) -> Int? { failure.details?["errno"]?.intValue }

    /// The connection is gone; a new one may work.
    static func isLostConnection(_ failure: PluginFailure) -> Bool {
        [1927, 2006, 2013, 2055].contains(number(of: failure) ?? 0)
    }

    /// Too many connections.
    static let tooManyConnections = 1040

    /// No such account or another password; also what a server says that takes no connections without TLS.
    static let accessDenied = 1045
    /// The server has no TLS, or none that works. Source: CR_SSL_CONNECTION_ERROR.
    static let noSecureTransport = 2026

    private static func status(_ number: Int) -> PluginStatus {
        switch number {
        case 1007, 1396: .alreadyExists
        case 1008, 1049, 1133, 1141, 1146: .notFound
        case 1044, 1045, 1142, 1227, 1698: .permissionDenied
        case 1021, 1037, 1038, 1040, 1041, 1114, 1203, 1226: .exhausted
        case 1064, 1102, 1115, 1253, 1273, 1406, 1470, 1819: .invalidArgument
        case 1205, 1213: .busy
        case 1290, 1836: .preconditionFailed
        case 1317: .cancelled
        case 1969: .timedOut
        case 1053, 1077, 1152, 1158...1161, 1184, 1927, 2000...2006, 2012, 2013, 2055: .unavailable
        default: .internal
        }
    }
}
