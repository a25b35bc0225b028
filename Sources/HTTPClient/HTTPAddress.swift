// SPDX-License-Identifier: Apache-2.0

import CCurl

/// A URL as libcurl reads it, so that what is checked is what is asked.
package struct HTTPAddress: Sendable, Hashable {
    /// Scheme, host and port.
    package struct Origin: Sendable, Hashable, CustomStringConvertible {
        /// `http` or `https`.
        package var scheme: String
        /// Lower case; an IPv6 address in brackets.
        package var host: String
        package var port: Int

        package var description: String { "\(scheme)://\(host):\(port)" }
    }

    /// Normalised, without fragment.
    package let text: String
    package let origin: Origin
    /// Whether there is nothing behind the origin but `/`.
    package let isOrigin: Bool

    /// - Throws: `.invalidRequest` for what is no http or https URL, or has a user or password in it; `.library`.
    package init(_ text: String) throws(HTTPClientError) {
        let library = try CurlLibrary.get()
        guard let url = library.urlMake() else { throw HTTPClientError(.unavailable, "no memory for a URL") }
        defer { library.urlEnd(url) }
        guard !text.utf8.contains(0), text.utf8.count <= 8192,
            library.urlSet(url, CURLUPART_URL, text, 0) == CURLUE_OK
        else { throw HTTPClientError(.invalidRequest, "the url is not a URL") }
        func part(_ part: CURLUPart, _ flags: Int32 = 0) -> String? {
            var value: UnsafeMutablePointer<CChar>?
            guard library.urlGet(url, part, &value, UInt32(flags)) == CURLUE_OK, let value else { return nil }
            defer { library.free(value) }
            return String(cString: value)
        }
        guard let scheme = part(CURLUPART_SCHEME), scheme == "http" || scheme == "https" else {
            throw HTTPClientError(.invalidRequest, "the url must begin with http:// or https://")
        }
        guard part(CURLUPART_USER) == nil, part(CURLUPART_PASSWORD) == nil else {
            throw HTTPClientError(.invalidRequest, "the url must not hold a user or a password; use a header")
        }
        guard let host = part(CURLUPART_HOST), !host.isEmpty,
            let port = part(CURLUPART_PORT, CURLU_DEFAULT_PORT).flatMap({ Int($0) })
        else { throw HTTPClientError(.invalidRequest, "the url names no host") }
        _ = library.urlSet(url, CURLUPART_FRAGMENT, nil, 0)
        guard let whole = part(CURLUPART_URL) else {
            throw HTTPClientError(.invalidRequest, "the url is not a URL")
        }
        self.text = whole
        origin = Origin(scheme: scheme, host: host.lowercased(), port: port)
        isOrigin = (part(CURLUPART_PATH) ?? "/") == "/" && part(CURLUPART_QUERY) == nil
    }
}
