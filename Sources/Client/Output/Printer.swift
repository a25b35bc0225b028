// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Model

/// Prints answers: tables for people, the API's own objects for scripts.
package struct Printer {
    package enum Form: Sendable {
        case table
        /// One line: an object, or an array of them.
        case json
    }

    package let form: Form
    private let width: Int?
    private let write: (String) -> Void

    /// To standard output; tables fit its terminal, if it is one.
    package init(_ form: Form) {
        self.init(form, width: Terminal.columns(of: STDOUT_FILENO)) { Terminal.write($0, to: STDOUT_FILENO) }
    }

    /// - Parameter write: Takes whole lines.
    package init(_ form: Form, width: Int?, write: @escaping (String) -> Void) {
        self.form = form
        self.width = width
        self.write = write
    }

    package func list(_ items: [JSONValue], _ columns: [Column]) {
        guard form == .table else { return line(JSONValue.array(items).text) }
        let rows = items.map { item in columns.map { CellText.text(CellText.member(item, $0.member)) } }
        table(Table(columns.map(\.heading), rows))
    }

    package func object(_ object: JSONValue) {
        guard form == .table else { return line(object.text) }
        table(Table(["Field", "Value"], CellText.fields(object)))
    }

    /// A sentence for people; scripts get none.
    package func note(_ text: String) {
        if form == .table { line(TextWidth.visible(text)) }
    }

    private func table(_ table: Table) { write(table.lines(width: width).joined(separator: "\n") + "\n") }

    private func line(_ text: String) { write(text + "\n") }
}
