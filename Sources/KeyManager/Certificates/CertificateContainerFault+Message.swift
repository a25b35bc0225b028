// SPDX-License-Identifier: Apache-2.0

import Model

extension CertificateContainerFault {
    /// - Parameter message: One sentence for the client, without secrets.
    init(_ reason: Reason, _ message: String) { self.init(reason: reason, message: message) }
}
