// SPDX-License-Identifier: Apache-2.0

/// Rows under headings, in the form that the OpenStack clients have.
package struct Table {
    package var headings: [String]
    package var rows: [[String]]

    package init(_ headings: [String], _ rows: [[String]]) {
        self.headings = headings
        self.rows = rows
    }

    /// - Parameter width: Of the terminal; nil leaves every cell on one line however long it is.
    package func lines(width: Int? = nil) -> [String] {
        let cells = ([headings] + rows).map { row in
            row.map { cell in
                TextWidth.visible(cell).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            }
        }
        var widths = headings.indices.map { column in
            cells.map { row in row[column].map { TextWidth.columns($0) }.max() ?? 0 }.max() ?? 0
        }
        if let width { Self.shrink(&widths, to: width, headings) }
        let rule = "+" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+") + "+"
        var lines = [rule]
        for (index, row) in cells.enumerated() {
            lines += Self.lines(of: row, widths)
            if index == 0 { lines.append(rule) }
        }
        return lines + (rows.isEmpty ? [] : [rule])
    }

    /// Takes columns off the widest cells; the first one, which holds ids, stays whole, and none goes below 8.
    private static func shrink(_ widths: inout [Int], to width: Int, _ headings: [String]) {
        let first = widths.count > 2 ? 1 : widths.count - 1
        while widths.reduce(0, +) + 3 * widths.count + 1 > width {
            guard let widest = widths.indices.dropFirst(first).max(by: { widths[$0] < widths[$1] }),
                widths[widest] > max(8, TextWidth.columns(headings[widest]))
            else { return }
            widths[widest] -= 1
        }
    }

    private static func lines(of row: [[String]], _ widths: [Int]) -> [String] {
        let cells = zip(row, widths).map { cell, width in cell.flatMap { TextWidth.wrapped($0, to: width) } }
        let height = cells.map(\.count).max() ?? 1
        return (0..<height).map { line in
            let parts = zip(cells, widths).map { cell, width in
                let text = line < cell.count ? cell[line] : ""
                return text + String(repeating: " ", count: max(0, width - TextWidth.columns(text)))
            }
            return "| " + parts.joined(separator: " | ") + " |"
        }
    }
}
