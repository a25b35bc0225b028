// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Model

/// A tenant's commands about what the journal records of its operations.
struct EventCommand: ParsableCommand {
    static let configuration = Noun.configuration(
        "event", "Show the steps of operations, as they happened or as they happen.",
        [ListEventsCommand.self, FollowEventsCommand.self])
}

/// Whose events, and from where on.
struct EventOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Those of this instance, by id or name.", valueName: "instance")) var instance: String?
    @Option(help: ArgumentHelp("Those behind this one.", valueName: "event's id")) var since: Int?

    func validate() throws {
        if let since, since < 0 { throw ValidationError("--since must be an event's id, or 0") }
    }

    /// The path of the events behind `position`.
    func path(_ client: ServiceClient) throws -> (Int) -> String {
        let prefix = try instance.map { "/instances/\(try client.id(.instance, $0))" } ?? ""
        return { "\(prefix)/events" + PathText.query(["since": String($0)]) }
    }
}

struct ListEventsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the steps of operations, the oldest first.")

    @OptionGroup var events: EventOptions
    @Option(help: "List no more than these.") var limit: Int?
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func perform(_ client: ServiceClient) throws {
        let path = try events.path(client)(events.since ?? 0)
        output.printer.list(
            try client.items(path, "events", limit: limit),
            [
                Column("ID", "id"), Column("Time", "time"), Column("Operation", "operation"), Column("Event", "event"),
                Column("Step", "step"), Column("Seconds", "seconds"), Column("Resource ID", "resource_id"),
                Column("Cause", "cause"),
            ])
    }
}

/// `trove event follow`: a line for each event until Ctrl-C.
struct FollowEventsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow",
        abstract:
            "Print the last steps of operations, and those that come, until Ctrl-C; with --json the API's objects.")

    @OptionGroup var events: EventOptions
    @Option(help: "Without --since: begin with so many that have happened.") var last = 10
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Identity options") var identity: IdentityOptions

    /// Pages are asked for; a stream would need a connection that outlives a token.
    private static let interval = Duration.seconds(1)
    private static let pageSize = 200

    func validate() throws {
        guard (0...Self.pageSize).contains(last) else {
            throw ValidationError("--last must be from 0 to \(Self.pageSize)")
        }
    }

    func perform(_ client: ServiceClient) throws {
        client.interruption.arm()
        let path = try events.path(client)
        var position = events.since ?? 0
        if events.since == nil {
            var past: [JSONValue] = []
            position = try read(client, path, after: position) { past = Array((past + $0).suffix(last)) }
            past.forEach(line)
        }
        while true {
            position = try read(client, path, after: position) { $0.forEach(line) }
            try client.interruption.pause(Self.interval)
        }
    }

    /// Takes everything behind `position` that there is now, page by page.
    ///
    /// - Returns: Where it ends.
    private func read(
        _ client: ServiceClient, _ path: (Int) -> String, after position: Int, take: ([JSONValue]) -> Void
    ) throws -> Int {
        var end = position
        while true {
            let page = try client.send("GET", path(end)).body
            let events = page?["events"]?.arrayValue ?? []
            guard let next = page?["position"]?.intValue, next >= end else {
                throw ClientError(.protocolError, "the service did not say how far its events go")
            }
            take(events)
            end = next
            if events.count < Self.pageSize { return end }
        }
    }

    private func line(_ event: JSONValue) {
        guard !output.isJSON else { return Output.line(event.text) }
        let step = event["step"]?.stringValue.map { " \($0)" } ?? ""
        let seconds = event["seconds"].flatMap { $0.isNull ? nil : " after \($0.text) s" } ?? ""
        let cause = event["cause"]?.stringValue.map { ": \($0)" } ?? ""
        func text(_ name: String) -> String { CellText.text(event[name]) }
        Output.line(
            TextWidth.visible(
                "\(text("id")) \(text("time")) \(text("resource_id")) \(text("operation"))\(step) \(text("event"))"
                    + seconds + cause))
    }
}
