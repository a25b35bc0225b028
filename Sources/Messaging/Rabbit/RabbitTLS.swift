// SPDX-License-Identifier: Apache-2.0

import CRabbitMQ
import Glibc

/// TLS below a connection to the broker: the certificate must come from a trusted authority and name the host or its address.
enum RabbitTLS {
    /// A socket that is not open yet.
    static func socket(
        _ state: OpaquePointer, _ configuration: RabbitConfiguration, _ address: RabbitURL.Address
    ) throws(RabbitFailure) -> OpaquePointer {
        guard let socket = amqp_ssl_socket_new(state),
            trove_amqp_expect(socket, address.host, isAddress(address.host) ? 1 : 0) == 1
        else { throw failed("TLS cannot be prepared") }
        if let file = configuration.caFile {
            guard amqp_ssl_socket_set_cacert(socket, file) == 0 else {
                throw failed("the file of authorities \(file) cannot be read")
            }
        } else if trove_amqp_trust_system(socket) != 1 {
            throw failed("the system's certificate authorities cannot be read")
        }
        if let certificate = configuration.certificateFile, let key = configuration.keyFile,
            amqp_ssl_socket_set_key(socket, certificate, key) != 0
        {
            throw failed("the certificate \(certificate) and its key \(key) cannot be used")
        }
        return socket
    }

    static func failure(_ status: Int32, _ what: String) -> RabbitFailure {
        guard status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue else { return .library(status, what) }
        return failed("\(what): its certificate is not from a trusted authority, or names another host")
    }

    private static func failed(_ sentence: String) -> RabbitFailure {
        RabbitFailure(reach: .connection, description: sentence)
    }

    private static func isAddress(_ host: String) -> Bool {
        var bytes = (UInt64(0), UInt64(0))
        return inet_pton(AF_INET, host, &bytes) == 1 || inet_pton(AF_INET6, host, &bytes) == 1
    }
}
