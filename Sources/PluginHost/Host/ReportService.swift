// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Logging
import Model

/// `trove.report/1`.
enum ReportService {
    static var table: trove_report_1 {
        trove_report_1(
            size: UInt32(MemoryLayout<trove_report_1>.size), flags: 0,
            report: { host, call, kind, document in ReportService.report(host, call, kind, document) }
        )
    }

    private static let messageLimit = 255

    private static func report(
        _ host: UnsafePointer<trove_host_1>?, _ token: OpaquePointer?, _ kind: trove_str, _ document: trove_str
    ) -> trove_status {
        guard let context = HostContexts.shared.find(host) else { return trove_status(TROVE_PRECONDITION_FAILED) }
        let call = token == nil ? nil : CallTable.shared.find(token, "report")
        do throws(PluginError) {
            let report = try parse(Borrowed.text(kind, limit: 64), document)
            guard let reporter = context.backing.reporter else { throw ServiceCall.absent("way to report") }
            guard context.reportLimit.take() else {
                throw PluginError(.exhausted, "more reports than \(HostContext.reportsPerSecond) a second")
            }
            try reporter.report(report, from: context.id, context: call?.options.context)
            return trove_status(TROVE_OK)
        } catch {
            var named = error
            named.pluginID = context.id
            if let call {
                call.record(named)
            } else {
                context.misbehaved("plugin reported something that is not taken", ["error": "\(named.message)"])
            }
            return named.code.status
        }
    }

    private static func parse(_ kind: String, _ text: trove_str) throws(PluginError) -> PluginReport {
        let document = try ServiceCall.object(text, "the report", limit: 64 << 10)
        switch kind {
        case "service_status":
            let health: EngineStatus.Health? =
                switch document["status"]?.stringValue {
                case "healthy": .healthy
                case "starting": .starting
                case "blocked": .blocked
                case "shutdown": .shutdown
                default: nil
                }
            guard let health else {
                throw ServiceCall.invalid("status of the report must be healthy, starting, blocked or shutdown")
            }
            return .serviceStatus(health)
        case "root_enabled": return .rootEnabled
        case "backup":
            guard let id = document["backup_id"]?.stringValue, !id.isEmpty,
                let message = document["message"]?.stringValue
            else { throw ServiceCall.invalid("the report needs backup_id and message") }
            return .backup(id: id, message: String(message.prefix(messageLimit)))
        default: throw ServiceCall.invalid("there are reports of service_status, root_enabled and backup only")
        }
    }
}
