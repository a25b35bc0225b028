// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// A backup strategy without an engine: its streams, its refusals, and what it does when nobody reads.
final class BackupGroup {
    private let context: GroupContext
    private let table: trove_backup_1
    private let opened: OpenedSelf
    private let config: JSONValue
    private let sink = TestSink()
    private let source = TestSource()
    private let targets: [Target]

    init(_ context: GroupContext, _ table: UnsafeRawPointer) throws {
        let table = table.load(as: trove_backup_1.self)
        guard let open = table.open, let close = table.close, let backup = table.backup, let restore = table.restore
        else {
            throw Unusable()
        }
        self.context = context
        self.table = table
        let opened = OpenedSelf("backup", context.caller, open: open, close: close)
        self.opened = opened
        config = context.sandbox.config.adding(
            "access",
            [
                "address": "127.0.86.1", "port": 47311, "user": "check", "password": .string(Caller.secret),
                "data_dir": .string(context.sandbox.root + "/data"),
                "socket": .string(context.sandbox.root + "/run/engine.sock"),
            ])
        let (sink, source) = (sink, source)
        let request: JSONValue = ["type": "full", "memory_mb": 512]
        var targets = [
            Target("backup.backup", request, needs: ["type"], reply: .schema("backup-result")) { call, text in
                sink.reset()
                return backup(opened.value, call, text, sink.table)
            },
            Target("backup.restore", request.adding("position", [:]), needs: ["type"], reply: .nothing) { call, text in
                source.reset()
                return restore(opened.value, call, text, source.table)
            },
        ]
        if let post = table.post_restore {
            targets.append(
                Target("backup.post_restore", request.adding("position", [:]), needs: ["type"]) {
                    post(opened.value, $0, $1)
                })
        }
        self.targets = targets
        try opened.begin(config)
    }

    var scenarios: [Scenario] {
        let caller = context.caller
        let sandbox = context.sandbox
        let leaks = LeakChecks(caller: caller, repeats: context.order.repeats)
        var list = opened.scenarios(config, leaks: leaks)
        guard opened.isOpen else { return list }
        list += [
            Scenario(check: "backup.write-error", target: "backup.backup") { try self.writeError() },
            Scenario(check: "backup.short-writes", target: "backup.backup") { try self.shortWrites() },
            Scenario(check: "backup.restore-garbage", target: "backup.restore", limit: 30) { try self.garbage() },
            Scenario(check: "backup.incremental", target: "backup.backup") { try self.incremental() },
        ]
        list += InputChecks(caller: caller, strays: { sandbox.strays }).scenarios(targets)
        list += CallChecks(caller: caller).scenarios(targets)
        list.append(leaks.scenario(targets, prefix: "backup"))
        list.append(Scenario(check: "backup.close", target: "backup.close") { try self.opened.end() })
        return list
    }

    private func writeError() throws {
        sink.failsAfter = 0
        defer { sink.failsAfter = nil }
        let outcome = try targets[0].call(context.caller, targets[0].sample, check: "backup.write-error")
        if outcome.isOK, sink.attempts > 0 {
            ChildReporter.shared.fail(
                "backup.write-error",
                "backup.backup returned TROVE_OK though a write failed; stop and fail when write returns -1.")
        }
    }

    /// A sink may take fewer bytes than it is given; the stream must be the same.
    private func shortWrites() throws {
        let whole = try targets[0].call(context.caller, targets[0].sample, check: "backup.short-writes")
        guard whole.isOK else {
            return ChildReporter.shared.skip(
                "backup.short-writes", "It needs its engine (\(Status.name(whole.status))).")
        }
        let first = sink.digest
        sink.takes = 7
        defer { sink.takes = nil }
        let pieces = try targets[0].call(context.caller, targets[0].sample, check: "backup.short-writes")
        if !pieces.isOK || sink.digest != first {
            ChildReporter.shared.fail(
                "backup.short-writes",
                "backup.backup loses bytes when write takes fewer than it is given; go on from where it stopped.")
        }
    }

    private func garbage() throws {
        let contents: [(String, [UInt8])] = [
            ("an empty stream", []), ("zeros", [UInt8](repeating: 0, count: 1 << 20)),
            ("noise", (0..<(1 << 18)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }),
        ]
        for (what, bytes) in contents {
            source.content = bytes
            let outcome = try targets[1].call(context.caller, targets[1].sample, check: "backup.restore-garbage")
            if outcome.isOK {
                ChildReporter.shared.fail(
                    "backup.restore-garbage",
                    "backup.restore returned TROVE_OK for \(what), which is no backup of its; check what you read.")
            }
        }
        source.content = []
        source.fails = true
        defer { source.fails = false }
        if try targets[1].call(context.caller, targets[1].sample, check: "backup.restore-garbage").isOK {
            ChildReporter.shared.fail(
                "backup.restore-garbage",
                "backup.restore returned TROVE_OK though reading failed; stop when read returns -1.")
        }
    }

    private func incremental() throws {
        guard table.flags & UInt32(TROVE_BACKUP_INCREMENTAL) == 0 else { return try increments() }
        let request: JSONValue = ["type": "incremental", "parent": [:], "memory_mb": 512]
        let outcome = try targets[0].call(context.caller, request)
        if outcome.isOK {
            ChildReporter.shared.fail(
                "backup.incremental",
                "backup.backup made an incremental backup, which its flags do not offer; set TROVE_BACKUP_INCREMENTAL or refuse."
            )
        }
    }
}

extension BackupGroup {
    /// What no increment can be made of must not make one.
    private func increments() throws {
        let check = "backup.incremental"
        let request: JSONValue = ["type": "incremental", "memory_mb": 512]
        let parents: [(String, JSONValue)] = [
            ("without a parent", request), ("to a parent whose position is not its own", request.adding("parent", [:])),
        ]
        for (what, request) in parents where try targets[0].call(context.caller, request, check: check).isOK {
            ChildReporter.shared.fail(
                check, "backup.backup made an increment \(what); refuse with TROVE_INVALID_ARGUMENT.")
        }
        source.content = []
        if try targets[1].call(context.caller, request, check: check).isOK {
            ChildReporter.shared.fail(
                check,
                "backup.restore returned TROVE_OK for an increment in an empty data directory; a full backup comes first."
            )
        }
    }
}

extension JSONValue {
    func adding(_ key: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[key] = value
        return .object(members)
    }
}
