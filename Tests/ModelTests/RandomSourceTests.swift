// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@Suite("Random values")
struct RandomSourceTests {
    /// Gives the bytes it was made with, over and over.
    private struct Repeating: RandomSource {
        let pattern: [UInt8]
        func bytes(_ count: Int) -> [UInt8] { (0..<count).map { pattern[$0 % pattern.count] } }
    }

    @Test("a UUID has version 4, the right variant and lower-case digits")
    func uuid() {
        #expect(Repeating(pattern: [0xFF]).uuid() == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(Repeating(pattern: [0x00]).uuid() == "00000000-0000-4000-8000-000000000000")
        #expect(Repeating(pattern: [0xAB]).requestID() == "req-abababab-abab-4bab-abab-abababababab")
        let source = SystemRandomSource()
        #expect(Set((0..<1000).map { _ in source.uuid() }).count == 1000)
    }

    @Test("a password has the length asked for, letters and digits without look-alikes")
    func password() {
        let source = SeededRandomSource(seed: 7)
        for length in [0, 1, 24, 100] { #expect(source.password(length: length).revealed.count == length) }
        let long = source.password(length: 5000).revealed
        #expect(long.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) && !"lIO01".contains($0) })
        #expect(Set(long).count == 56)
    }

    @Test("the same seed gives the same bytes, another seed others")
    func seeded() {
        let bytes = SeededRandomSource(seed: 1).bytes(33)
        #expect(bytes.count == 33)
        #expect(SeededRandomSource(seed: 1).bytes(33) == bytes)
        #expect(SeededRandomSource(seed: 2).bytes(33) != bytes)
    }

    @Test("hexadecimal is lower case, two digits a byte")
    func hex() {
        #expect(([0x00, 0x0F, 0xA0, 0xFF] as [UInt8]).hex == "000fa0ff")
        #expect(([] as [UInt8]).hex.isEmpty)
    }

    @Test("Base64 as in RFC 4648 §10, and nothing that is not canonical")
    func base64() {
        let vectors = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
        for (plain, coded) in vectors {
            #expect(Base64.encode(Array(plain.utf8)) == coded)
            #expect(Base64.decode(coded) == Array(plain.utf8))
        }
        let all = (0...255).map(UInt8.init)
        #expect(Base64.decode(Base64.encode(all)) == all)
        for text in ["Zg", "Zg=", "Zh==", "Zg==\n", "Z===", "====", "Zm9v=Zm9v", "Zm-v", "=Zg="] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }
}
