// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// The rules that hold for every call of every function.
enum CallRules {
    /// Names of the checks that these rules decide.
    static let checks = [
        "errors.unknown-status", "errors.message", "errors.details", "errors.fail-once", "errors.secrets",
        "json.malformed-output", "json.schema", "call.emit", "call.emit-after-return", "call.use-after-return",
        "call.complete", "call.complete-once", "call.handle", "call.progress",
    ]

    static func judge(_ call: ObservedCall, _ outcome: CallOutcome, _ plan: CallPlan, _ schemas: SchemaSet) {
        judgeStatus(call, outcome)
        judgeSecrets(call, outcome, plan)
        if outcome.isOK { judgeDocument(call, outcome, plan, schemas) }
        if call.completions > 0, call.completion != nil, outcome.status != call.completion {
            ChildReporter.shared.fail(
                "call.complete-once",
                "\(call.function) called complete and then returned a status of its own; do one or the other.")
        }
    }

    private static func judgeStatus(_ call: ObservedCall, _ outcome: CallOutcome) {
        let reporter = ChildReporter.shared
        let status = outcome.status
        guard status >= 0, status < Int32(TROVE_PENDING) else {
            return reporter.fail(
                "errors.unknown-status",
                "\(call.function) ended with the status \(status), which ABI 1.0 does not have; use one of 0 to 12.")
        }
        guard status != Int32(TROVE_OK) else {
            if let failure = call.failures.last, call.completion == nil, failure.status == Int32(TROVE_OK) {
                reporter.fail("errors.fail-once", "\(call.function) called fail with TROVE_OK; fail is for failures.")
            }
            return
        }
        guard let failure = call.failures.last else {
            if status == Int32(TROVE_CANCELLED) || status == Int32(TROVE_TIMED_OUT) { return }
            return reporter.fail(
                "errors.message",
                "\(call.function) returned \(Status.name(status)) without saying why; return host->fail(call, …).")
        }
        if failure.message.allSatisfy(\.isWhitespace) {
            reporter.fail(
                "errors.message", "\(call.function) failed with an empty message; say what is wrong in one sentence.")
        }
        if failure.message.contains("\n") || failure.message.utf8.count > 2000 {
            reporter.fail(
                "errors.message",
                "\(call.function) failed with a message of several lines or more than 2000 bytes; one sentence is enough."
            )
        }
        if !failure.details.isEmpty, (try? JSONValue(parsing: failure.details))?.objectValue == nil {
            reporter.fail("errors.details", "\(call.function) failed with details that are no JSON object.")
        }
    }

    private static func judgeSecrets(_ call: ObservedCall, _ outcome: CallOutcome, _ plan: CallPlan) {
        let reporter = ChildReporter.shared
        if call.told.contains(where: { $0.contains(Caller.secret) }) {
            reporter.fail(
                "errors.secrets",
                "\(call.function) put a secret of its request into a message, details, progress or a log line; leave it out."
            )
        }
        guard !plan.mayEmitSecret, outcome.output.count >= Caller.secret.utf8.count else { return }
        if String(decoding: outcome.output, as: UTF8.self).contains(Caller.secret) {
            reporter.fail("errors.secrets", "\(call.function) emitted a secret of its request; leave it out.")
        }
    }

    private static func judgeDocument(
        _ call: ObservedCall, _ outcome: CallOutcome, _ plan: CallPlan, _ schemas: SchemaSet
    ) {
        let reporter = ChildReporter.shared
        if case .nothing = plan.reply, outcome.output.isEmpty { return }
        if case .any = plan.reply, outcome.output.isEmpty { return }
        let document: JSONValue
        do {
            document = try JSONValue(parsing: outcome.output)
        } catch {
            let what = outcome.output.isEmpty ? "nothing" : "what is not one JSON value (\(error))"
            return reporter.fail(
                "json.malformed-output", "\(call.function) returned TROVE_OK and emitted \(what); emit one document.")
        }
        let problems: [String]
        switch plan.reply {
        case .any, .nothing: problems = []
        case .schema(let name): problems = schemas.problems(document, name)
        case .inline(let schema): problems = schemas.problems(document, schema, "the document")
        }
        guard let first = problems.first else { return }
        reporter.fail("json.schema", "\(call.function) emitted a document that does not fit: \(first).")
    }
}
