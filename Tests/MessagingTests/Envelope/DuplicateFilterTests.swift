// SPDX-License-Identifier: Apache-2.0

import Messaging
import Testing

@Suite("DuplicateFilter")
struct DuplicateFilterTests {
    @Test("the last sixteen ids are remembered, older ones are not")
    func window() {
        let filter = DuplicateFilter()
        for number in 0..<16 { #expect(filter.admits("id-\(number)")) }
        #expect(!filter.admits("id-0"))
        #expect(!filter.admits("id-15"))
        #expect(filter.admits("id-16"))
        #expect(filter.admits("id-0"))
        #expect(!filter.admits("id-2"))
    }
}
