// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite("JSONValue")
struct JSONValueTests {
    @Test("an integer stays an integer, a fraction a double")
    func numbers() throws {
        #expect(try JSONValue(parsing: "[1, 1.0, -7, 1e2]") == [.int(1), .double(1), .int(-7), .double(100)])
    }
}
