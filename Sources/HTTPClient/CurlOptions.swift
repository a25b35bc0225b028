// SPDX-License-Identifier: Apache-2.0

import CCurl

/// Tells one libcurl handle what to do. Source: curl_easy_setopt(3).
struct CurlOptions {
    let library: CurlLibrary
    let easy: CurlLibrary.Easy

    func apply(
        _ request: HTTPRequest, _ transfer: HTTPTransfer, _ configuration: HTTPClientConfiguration,
        _ headers: inout UnsafeMutablePointer<curl_slist>?
    ) {
        text(CURLOPT_URL, request.url.text)
        text(CURLOPT_PROTOCOLS_STR, "http,https")
        number(CURLOPT_FOLLOWLOCATION, 0)
        number(CURLOPT_NOSIGNAL, 1)
        number(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        // An empty text: none, whatever the environment says.
        text(CURLOPT_PROXY, configuration.proxy ?? "")
        text(CURLOPT_USERAGENT, configuration.userAgent)
        if let file = configuration.caFile { text(CURLOPT_CAINFO, file) }
        if configuration.isInsecure {
            number(CURLOPT_SSL_VERIFYPEER, 0)
            number(CURLOPT_SSL_VERIFYHOST, 0)
        }
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        callback(CURLOPT_HEADERFUNCTION, HTTPTransfer.takeHeader)
        pointer(CURLOPT_HEADERDATA, context)
        callback(CURLOPT_WRITEFUNCTION, HTTPTransfer.takeBody)
        pointer(CURLOPT_WRITEDATA, context)
        method(request, &headers, context)
        pointer(CURLOPT_HTTPHEADER, headers)
    }

    private func method(
        _ request: HTTPRequest, _ headers: inout UnsafeMutablePointer<curl_slist>?, _ context: UnsafeMutableRawPointer
    ) {
        text(CURLOPT_CUSTOMREQUEST, request.method)
        var length: Int?
        switch request.body {
        case .none:
            if request.method == "HEAD" {
                number(CURLOPT_NOBODY, 1)
            } else if ["POST", "PUT", "PATCH"].contains(request.method) {
                number(CURLOPT_POST, 1)
                offset(CURLOPT_POSTFIELDSIZE_LARGE, 0)
                text(CURLOPT_POSTFIELDS, "")
                removeType(request, &headers)
            }
            return
        case .bytes(let bytes): length = bytes.count
        case .stream(let known, _): length = known
        }
        number(CURLOPT_POST, 1)
        offset(CURLOPT_POSTFIELDSIZE_LARGE, length ?? -1)
        if length == nil {
            headers = library.listAppend(headers, "Transfer-Encoding: chunked") ?? headers
        }
        removeType(request, &headers)
        callback(CURLOPT_READFUNCTION, HTTPTransfer.giveBody)
        pointer(CURLOPT_READDATA, context)
    }

    /// libcurl would call every body a form.
    private func removeType(_ request: HTTPRequest, _ headers: inout UnsafeMutablePointer<curl_slist>?) {
        guard !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) else { return }
        headers = library.listAppend(headers, "Content-Type:") ?? headers
    }

    private func text(_ option: CURLoption, _ value: String) {
        _ = trove_curl_set_text(library.setopt, easy, option, value)
    }

    private func number(_ option: CURLoption, _ value: Int) {
        _ = trove_curl_set_long(library.setopt, easy, option, value)
    }

    private func offset(_ option: CURLoption, _ value: Int) {
        _ = trove_curl_set_offset(library.setopt, easy, option, curl_off_t(value))
    }

    private func pointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
        _ = trove_curl_set_pointer(library.setopt, easy, option, value)
    }

    private func callback(_ option: CURLoption, _ value: @escaping trove_curl_data_fn) {
        _ = trove_curl_set_callback(library.setopt, easy, option, value)
    }
}
