// SPDX-License-Identifier: Apache-2.0

import CCurl
import Glibc

/// libcurl's functions, mapped on first use.
///
/// Unchecked: constant once made. Source: libcurl-easy(3), libcurl-multi(3), libcurl-url(3).
struct CurlLibrary: @unchecked Sendable {
    typealias Easy = UnsafeMutableRawPointer
    typealias Multi = UnsafeMutableRawPointer
    typealias Part = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    let easyMake: @convention(c) () -> Easy?
    let easyEnd: @convention(c) (Easy?) -> Void
    let setopt: UnsafeMutableRawPointer
    let errorText: @convention(c) (CURLcode) -> UnsafePointer<CChar>?
    let multiMake: @convention(c) () -> Multi?
    let multiEnd: @convention(c) (Multi?) -> CURLMcode
    let multiAdd: @convention(c) (Multi?, Easy?) -> CURLMcode
    let multiRemove: @convention(c) (Multi?, Easy?) -> CURLMcode
    let multiPerform: @convention(c) (Multi?, UnsafeMutablePointer<Int32>?) -> CURLMcode
    let multiPoll:
        @convention(c) (
            Multi?, UnsafeMutablePointer<curl_waitfd>?, UInt32, Int32, UnsafeMutablePointer<Int32>?
        ) -> CURLMcode
    let multiRead: @convention(c) (Multi?, UnsafeMutablePointer<Int32>?) -> UnsafeMutablePointer<CURLMsg>?
    let listAppend:
        @convention(c) (UnsafeMutablePointer<curl_slist>?, UnsafePointer<CChar>?) -> UnsafeMutablePointer<curl_slist>?
    let listEnd: @convention(c) (UnsafeMutablePointer<curl_slist>?) -> Void
    let urlMake: @convention(c) () -> OpaquePointer?
    let urlEnd: @convention(c) (OpaquePointer?) -> Void
    let urlGet: @convention(c) (OpaquePointer?, CURLUPart, Part?, UInt32) -> CURLUcode
    let urlSet: @convention(c) (OpaquePointer?, CURLUPart, UnsafePointer<CChar>?, UInt32) -> CURLUcode
    let free: @convention(c) (UnsafeMutableRawPointer?) -> Void

    /// - Throws: `.library` with what to install.
    static func get() throws(HTTPClientError) -> CurlLibrary { try shared.get() }

    private static let shared: Result<CurlLibrary, HTTPClientError> = {
        guard let handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "unknown reason"
            return .failure(
                HTTPClientError(.library, "HTTP needs libcurl, install the package libcurl4: \(reason)"))
        }
        guard let library = CurlLibrary(handle) else {
            return .failure(HTTPClientError(.library, "HTTP needs libcurl 7.85 or newer; this one lacks a function"))
        }
        return .success(library)
    }()

    private init?(_ handle: UnsafeMutableRawPointer) {
        func symbol<Function>(_ name: String, as type: Function.Type = Function.self) -> Function? {
            dlsym(handle, name).map { unsafeBitCast($0, to: Function.self) }
        }
        typealias GlobalInit = @convention(c) (Int) -> CURLcode
        guard let globalInit = symbol("curl_global_init", as: GlobalInit.self),
            let setopt = dlsym(handle, "curl_easy_setopt"),
            let easyMake = symbol("curl_easy_init", as: (@convention(c) () -> Easy?).self),
            let easyEnd = symbol("curl_easy_cleanup", as: (@convention(c) (Easy?) -> Void).self),
            let errorText = symbol(
                "curl_easy_strerror", as: (@convention(c) (CURLcode) -> UnsafePointer<CChar>?).self),
            let multiMake = symbol("curl_multi_init", as: (@convention(c) () -> Multi?).self),
            let multiEnd = symbol("curl_multi_cleanup", as: (@convention(c) (Multi?) -> CURLMcode).self),
            let multiAdd = symbol("curl_multi_add_handle", as: (@convention(c) (Multi?, Easy?) -> CURLMcode).self),
            let multiRemove = symbol(
                "curl_multi_remove_handle", as: (@convention(c) (Multi?, Easy?) -> CURLMcode).self),
            let multiPerform = symbol(
                "curl_multi_perform",
                as: (@convention(c) (Multi?, UnsafeMutablePointer<Int32>?) -> CURLMcode).self),
            let multiPoll = symbol(
                "curl_multi_poll",
                as: (@convention(c) (
                    Multi?, UnsafeMutablePointer<curl_waitfd>?, UInt32, Int32, UnsafeMutablePointer<Int32>?
                ) -> CURLMcode).self),
            let multiRead = symbol(
                "curl_multi_info_read",
                as: (@convention(c) (Multi?, UnsafeMutablePointer<Int32>?) -> UnsafeMutablePointer<CURLMsg>?).self),
            let listAppend = symbol(
                "curl_slist_append",
                as: (@convention(c) (UnsafeMutablePointer<curl_slist>?, UnsafePointer<CChar>?)
                    -> UnsafeMutablePointer<curl_slist>?).self),
            let listEnd = symbol(
                "curl_slist_free_all", as: (@convention(c) (UnsafeMutablePointer<curl_slist>?) -> Void).self),
            let urlMake = symbol("curl_url", as: (@convention(c) () -> OpaquePointer?).self),
            let urlEnd = symbol("curl_url_cleanup", as: (@convention(c) (OpaquePointer?) -> Void).self),
            let urlGet = symbol(
                "curl_url_get", as: (@convention(c) (OpaquePointer?, CURLUPart, Part?, UInt32) -> CURLUcode).self),
            let urlSet = symbol(
                "curl_url_set",
                as: (@convention(c) (OpaquePointer?, CURLUPart, UnsafePointer<CChar>?, UInt32) -> CURLUcode).self),
            let free = symbol("curl_free", as: (@convention(c) (UnsafeMutableRawPointer?) -> Void).self),
            globalInit(Int(CURL_GLOBAL_SSL)) == CURLE_OK
        else { return nil }
        self.easyMake = easyMake
        self.easyEnd = easyEnd
        self.setopt = setopt
        self.errorText = errorText
        self.multiMake = multiMake
        self.multiEnd = multiEnd
        self.multiAdd = multiAdd
        self.multiRemove = multiRemove
        self.multiPerform = multiPerform
        self.multiPoll = multiPoll
        self.multiRead = multiRead
        self.listAppend = listAppend
        self.listEnd = listEnd
        self.urlMake = urlMake
        self.urlEnd = urlEnd
        self.urlGet = urlGet
        self.urlSet = urlSet
        self.free = free
    }
}
