// SPDX-License-Identifier: Apache-2.0

import Model

/// Where the services are, as a token tells: the database service under the name the clients look for, and this one.
struct ServiceCatalog: Sendable {
    /// `http://host:port`.
    var baseURL: String
    var region: String
    /// Where the key manager is: an address, or a path below `baseURL`; nil: nowhere.
    var keyManager: String?

    /// `[{id, type, name, endpoints: [{id, interface, region, region_id, url}]}]`.
    func json(projectID: String) -> JSONValue {
        var services = [
            service(type: "database", name: "trove", url: "\(baseURL)/v1.0/\(projectID)"),
            service(
                type: "object-store", name: "published", url: "\(baseURL)/object-store/v1/AUTH_\(projectID)"),
            service(type: "identity", name: "keystone", url: "\(baseURL)/identity"),
        ]
        if let keyManager {
            let url = keyManager.hasPrefix("/") ? baseURL + keyManager : keyManager
            services.append(service(type: "key-manager", name: "barbican", url: url))
        }
        return .array(services)
    }

    private func service(type: String, name: String, url: String) -> JSONValue {
        [
            "id": .string(Digest.id("service \(type)")), "type": .string(type), "name": .string(name),
            "endpoints": .array(
                ["admin", "internal", "public"].map { interface in
                    [
                        "id": .string(Digest.id("endpoint \(type) \(interface)")), "interface": .string(interface),
                        "region": .string(region), "region_id": .string(region), "url": .string(url),
                    ]
                }),
        ]
    }
}
