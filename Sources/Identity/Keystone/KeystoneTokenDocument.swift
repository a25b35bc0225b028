// SPDX-License-Identifier: Apache-2.0

import Model

/// The body of `GET` and `POST /v3/auth/tokens`, as far as it is used here.
///
/// Shape: `{"token": {"expires_at", "issued_at", "user": {id, name, domain: {id}}, "project": {id, name, domain: {id}},
/// "roles": [{name}]}}`; without `project` for a token of a domain, of the system or without a scope.
/// Source: Identity API v3, "Validate and show information for token".
struct KeystoneTokenDocument: Sendable {
    var identity: AuthenticatedIdentity
    var issued: Timestamp

    /// nil for anything else than a token's document.
    init?(_ body: [UInt8]) {
        guard let document = try? JSONValue(parsing: body), let token = document["token"],
            let user = token["user"], let userID = user["id"]?.stringValue, !userID.isEmpty,
            let expires = token["expires_at"]?.stringValue.flatMap(Timestamp.init(keystone:)),
            let issued = token["issued_at"]?.stringValue.flatMap(Timestamp.init(keystone:))
        else { return nil }
        let project = token["project"]
        let projectID = project?["id"]?.stringValue ?? ""
        // Roles of a token without a project are roles on something else.
        let roles = projectID.isEmpty ? [] : (token["roles"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        identity = AuthenticatedIdentity(
            userID: userID, userName: user["name"]?.stringValue ?? "", projectID: projectID,
            projectName: project?["name"]?.stringValue ?? "", roles: roles, isAdmin: roles.contains("admin"),
            expires: expires, userDomainID: user["domain"]?["id"]?.stringValue ?? "",
            projectDomainID: project?["domain"]?["id"]?.stringValue ?? "")
        self.issued = issued
    }
}

extension Timestamp {
    /// `2026-01-31T23:59:59.000000Z`, with or without a fraction.
    init?(keystone text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
        func number(_ start: Int, _ count: Int) -> Int64? {
            bytes[start..<start + count].reduce(Int64?.some(0)) { value, byte in
                guard let value, (48...57).contains(byte) else { return nil }
                return value * 10 + Int64(byte - 48)
            }
        }
        let separators = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")] as [(Int, Character)]
        guard separators.allSatisfy({ bytes[$0.0] == $0.1.asciiValue }),
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), (1...12).contains(month), (1...31).contains(day),
            hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count > 20 {
            let digits = bytes[20..<bytes.count - 1].prefix(6)
            guard bytes[19] == UInt8(ascii: "."), !digits.isEmpty, let value = number(20, digits.count) else {
                return nil
            }
            fraction = (digits.count..<6).reduce(value) { value, _ in value * 10 }
        }
        let seconds = (Self.days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second
        self.init(microseconds: seconds * 1_000_000 + fraction)
    }

    /// Days since 1970-01-01. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
