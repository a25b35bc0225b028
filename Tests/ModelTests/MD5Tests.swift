// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite("MD5")
struct MD5Tests {
    /// Source: RFC 1321, appendix A.5.
    @Test(
        "the specification's examples",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a"
            ),
        ])
    func examples(_ text: String, _ digits: String) {
        #expect(MD5.digits(Array(text.utf8)) == digits)
    }

    @Test("every length around a block's end is padded", arguments: [55, 56, 57, 63, 64, 65, 119, 120, 128])
    func padding(_ count: Int) {
        // Each length has another digest, and none traps.
        let digests = Set((count - 1...count + 1).map { MD5.digits([UInt8](repeating: 97, count: $0)) })
        #expect(digests.count == 3)
    }
}
