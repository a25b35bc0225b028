// SPDX-License-Identifier: Apache-2.0

/// The media types of an `Accept` header; none given means any. Source: RFC 9110 §12.5.1, without preferences.
struct AcceptedTypes: Sendable {
    private let types: [String]

    init(_ header: String?) {
        types = (header ?? "").lowercased().split(separator: ",").compactMap { item in
            let parts = item.split(separator: ";").map { String($0).trimmingWhitespace }
            return parts.contains("q=0") ? nil : parts.first
        }
    }

    func allows(_ type: String) -> Bool {
        let kind = type.prefix { $0 != "/" }
        return types.isEmpty || types.contains(type) || types.contains("*/*") || types.contains("\(kind)/*")
    }
}
