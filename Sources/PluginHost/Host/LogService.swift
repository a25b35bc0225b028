// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Logging
import Model

/// `trove.log/1`.
enum LogService {
    private static let messageLimit = 4096
    private static let fieldsLimit = 64 << 10

    static var table: trove_log_1 {
        trove_log_1(
            size: UInt32(MemoryLayout<trove_log_1>.size), flags: 0,
            log: { host, call, level, message, fields in LogService.log(host, call, level, message, fields) }
        )
    }

    private static func log(
        _ host: UnsafePointer<trove_host_1>?, _ call: OpaquePointer?, _ level: Int32, _ message: trove_str,
        _ fields: trove_str
    ) {
        guard let context = HostContexts.shared.find(host) else { return }
        let level = Self.level(level)
        guard level >= context.logger.logLevel, context.logLimit.take() else { return }
        var metadata: Logger.Metadata = [:]
        if fields.len > 0, fields.len <= fieldsLimit,
            let members = (try? JSONValue(parsing: Borrowed.bytes(fields)))?.redacted.objectValue
        {
            for (name, value) in members { metadata[name] = "\(value.stringValue ?? value.text)" }
        }
        if call != nil, let open = CallTable.shared.find(call, "log") {
            metadata.merge(HostContext.metadata(open)) { _, ours in ours }
        }
        metadata["plugin.id"] = "\(context.id)"
        context.logger.log(
            level: level, "\(Borrowed.text(message, limit: messageLimit))", metadata: metadata, source: context.id)
    }

    private static func level(_ number: Int32) -> Logger.Level {
        switch number {
        case ...Int32(TROVE_LOG_TRACE): .trace
        case Int32(TROVE_LOG_DEBUG): .debug
        case Int32(TROVE_LOG_INFO): .info
        case Int32(TROVE_LOG_NOTICE): .notice
        case Int32(TROVE_LOG_WARNING): .warning
        case Int32(TROVE_LOG_ERROR): .error
        default: .critical
        }
    }
}

/// `trove.config/1`.
enum ConfigService {
    static var table: trove_config_1 {
        trove_config_1(
            size: UInt32(MemoryLayout<trove_config_1>.size), flags: 0,
            get: { host in HostContexts.shared.find(host)?.settings.borrowed ?? trove_str() }
        )
    }
}
