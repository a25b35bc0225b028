// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Tells how far a wait is: a bar on a terminal, elsewhere a line whenever the status changes.
package struct Progress {
    private let what: String
    private let isTerminal: Bool
    private let write: (String) -> Void
    private var last = ""
    private var step = 0

    static let barWidth = 20

    /// To standard error, so that standard output holds the answer alone.
    package init(_ what: String) {
        self.init(what, isTerminal: isatty(STDERR_FILENO) == 1) { Terminal.write($0, to: STDERR_FILENO) }
    }

    package init(_ what: String, isTerminal: Bool, write: @escaping (String) -> Void) {
        self.what = TextWidth.visible(what)
        self.isTerminal = isTerminal
        self.write = write
    }

    /// - Parameter elapsed: Since the wait began.
    package mutating func show(_ status: String, _ elapsed: Duration) {
        let status = TextWidth.visible(status)
        let seconds = elapsed.components.seconds
        if isTerminal {
            write("\r\u{1B}[K\(Self.bar(step)) \(what): \(status), \(seconds) s")
            step += 1
        } else if status != last {
            write("\(what): \(status) after \(seconds) s\n")
        }
        last = status
    }

    /// Leaves the last state on a line of its own.
    package mutating func end(_ status: String, _ elapsed: Duration) {
        let status = TextWidth.visible(status)
        let seconds = elapsed.components.seconds
        if isTerminal {
            write("\r\u{1B}[K[\(String(repeating: "=", count: Self.barWidth))] \(what): \(status), \(seconds) s\n")
        } else if status != last {
            write("\(what): \(status) after \(seconds) s\n")
        }
        last = status
    }

    /// Ends a line that is begun.
    package func breakOff() {
        if isTerminal && step > 0 { write("\n") }
    }

    /// How much work is left the API does not say: a block that wanders shows that it goes on.
    static func bar(_ step: Int) -> String {
        let (block, room) = (5, barWidth - 5)
        let phase = step % (2 * room)
        let place = phase <= room ? phase : 2 * room - phase
        let text =
            String(repeating: " ", count: place) + String(repeating: "=", count: block)
            + String(repeating: " ", count: room - place)
        return "[\(text)]"
    }
}
