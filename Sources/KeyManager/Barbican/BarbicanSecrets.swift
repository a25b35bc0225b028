// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Model

/// One caller's view of a Barbican, until a deadline.
struct BarbicanSecrets: SecretSource {
    /// A container's document or a payload; Barbican's own limit of a payload is 20,000 bytes.
    private static let answerBytes = 256 << 10
    private static let types = ["text/plain", "application/octet-stream", "application/pkcs8"]

    /// With `/v1`, without a slash at its end.
    let base: String
    let exchanger: HTTPExchanger
    let threads: any BlockingThreads
    let deadline: ContinuousClock.Instant
    let token: Secret

    func outline(_ containerID: String) async throws(CertificateContainerFault) -> ContainerOutline {
        let answer = try await get("/containers/\(containerID)", accept: "application/json")
        try Self.check(answer.status, "container \(containerID)")
        guard let document = try? JSONValue(parsing: answer.body), let type = document["type"]?.stringValue,
            let references = document["secret_refs"]?.arrayValue
        else { throw CertificateContainerFault(.unavailable, "The key manager's answer is not a container.") }
        var secrets: [String: String] = [:]
        for item in references {
            // Only the id counts: the host in it is how clients see the key manager.
            guard let reference = item["secret_ref"]?.stringValue,
                let id = KeyReference.id(in: reference, .secrets)
            else { throw CertificateContainerFault(.unavailable, "The key manager's answer is not a container.") }
            secrets[item["name"]?.stringValue ?? ""] = id
        }
        return ContainerOutline(type: type, secrets: secrets)
    }

    func payload(_ secretID: String) async throws(CertificateContainerFault) -> [UInt8] {
        for type in Self.types {
            let answer = try await get("/secrets/\(secretID)/payload", accept: type)
            // It is stored as another type.
            guard answer.status != 406 else { continue }
            try Self.check(answer.status, "secret \(secretID)")
            return answer.body
        }
        throw CertificateContainerFault(
            .invalid, "Secret \(secretID) can be had neither as text/plain nor as application/octet-stream.")
    }

    private func get(
        _ path: String, accept: String
    ) async throws(CertificateContainerFault) -> HTTPResponse {
        let request: HTTPRequest
        do {
            request = HTTPRequest(
                "GET", try HTTPAddress(base + path),
                headers: [("Accept", accept), ("X-Auth-Token", token.revealed)])
        } catch { throw CertificateContainerFault(.unavailable, "The key manager cannot be asked: \(error.message).") }
        let exchanger = exchanger
        let limits = HTTPLimits(deadline: deadline, bodyBytes: Self.answerBytes)
        let result = await threads.run { () -> Result<HTTPResponse, HTTPClientError> in
            do throws(HTTPClientError) { return .success(try exchanger.perform(request, limits: limits)) } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let response): return response
        case .failure(let error) where error.code == .invalidRequest:
            throw CertificateContainerFault(.forbidden, "The caller's token cannot be sent to the key manager.")
        case .failure(let error):
            throw CertificateContainerFault(.unavailable, "The key manager cannot be asked: \(error.message).")
        }
    }

    private static func check(_ status: Int, _ what: String) throws(CertificateContainerFault) {
        switch status {
        case 200: return
        case 401, 403:
            throw CertificateContainerFault(.forbidden, "The key manager does not let this caller read \(what).")
        case 404: throw CertificateContainerFault(.missing, "The key manager has no \(what).")
        case 400..<500:
            throw CertificateContainerFault(.invalid, "The key manager refuses to give \(what) (status \(status)).")
        default:
            throw CertificateContainerFault(.unavailable, "The key manager answers \(status); please try again.")
        }
    }
}
