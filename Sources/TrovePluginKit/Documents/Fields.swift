// SPDX-License-Identifier: Apache-2.0

extension JSON {
    /// The text member `key`.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` without one.
    public func text(_ key: String) throws -> String {
        guard let value = self[key]?.stringValue else { throw Self.wrong(key, "a text") }
        return value
    }

    /// The integer member `key`.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` without one.
    public func integer(_ key: String) throws -> Int {
        guard let value = self[key]?.intValue else { throw Self.wrong(key, "an integer") }
        return value
    }

    /// The integer member `key`, an amount of something that fits on a machine: 0 to 2^30, so that plugins can calculate
    /// with it.
    ///
    /// - Parameter fallback: For a member that is missing or `null`; nil: it must be there.
    /// - Throws: `PluginFailure` `.invalidArgument` for another value.
    public func size(_ key: String, default fallback: Int? = nil) throws -> Int {
        if let fallback, self[key]?.isNull ?? true { return fallback }
        guard let value = self[key]?.intValue, (0...1 << 30).contains(value) else {
            throw Self.wrong(key, "an integer from 0 to \(1 << 30)")
        }
        return value
    }

    /// The list member `key`.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` without one.
    public func list(_ key: String) throws -> [JSON] {
        guard let value = self[key]?.arrayValue else { throw Self.wrong(key, "a list") }
        return value
    }

    /// The text member `key`; `nil` if it is missing or `null`.
    ///
    /// - Throws: `PluginFailure` `.invalidArgument` for another kind of value.
    public func optionalText(_ key: String) throws -> String? {
        guard let value = self[key], !value.isNull else { return nil }
        guard let text = value.stringValue else { throw Self.wrong(key, "a text") }
        return text
    }

    private static func wrong(_ key: String, _ kind: String) -> PluginFailure {
        PluginFailure(.invalidArgument, "the member '\(key)' must be \(kind)")
    }
}
