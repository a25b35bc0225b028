// SPDX-License-Identifier: Apache-2.0

import Model
import TestSupport
import Testing

@testable import Messaging

/// Bytes 00, 01, … as often as asked.
private struct CountingBytes: RandomSource {
    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 % 256) } }
}

/// Boxes that the reference service's own code made, with the start vector 00 01 … 0f.
@Suite("SealCipher")
struct SealCipherTests {
    static let passphrase = "Zk3vQ9sT1uWxYz0aBcDeFgHiJkLmNoPq"

    @Test(
        "texts become the reference service's boxes, and come out again",
        arguments: [
            ("null", "AAECAwQFBgcICQoLDA0OD86GPkbFEyNecYwuz7Uzfjw="),
            ("true", "AAECAwQFBgcICQoLDA0OD/oEn1B0KGmAjFGP6OFquSk="),
            (#""abc""#, "AAECAwQFBgcICQoLDA0ODwUAP+TX7CbKhogZi193Xco="),
            (#"{"a": 1}"#, "AAECAwQFBgcICQoLDA0OD1ThJt5Kma2LxPuekrZT1mI="),
            (#"{"t": "\u00e9"}"#, "AAECAwQFBgcICQoLDA0OD+jh3Uuhk70gp8mw+AwmscA="),
            ("0123456789abcdef", "AAECAwQFBgcICQoLDA0OD+DPRlSg3IEVzIICIKOzu8qri7tFGM1YqhgmotJoj39o"),
        ])
    func vectors(_ text: String, _ box: String) throws {
        let cipher = try SealCipher(passphrase: Self.passphrase.utf8)
        #expect(try cipher.seal(Array(text.utf8), random: CountingBytes()) == box)
        #expect(try cipher.open(box) == Array(text.utf8))
    }

    @Test("a key is stored as the reference service stores it")
    func storedKey() throws {
        let key = try RPCKey(Secret(Self.passphrase))
        let box = try RPCKeyBox(passphrase: Secret("emYjgHFqfXNB1NGehAFIUeoyw4V4XwWHEaKP"))
        let stored =
            "AAECAwQFBgcICQoLDA0OD0DPNWCz3p0OJGxd+S0kMdkM7tIT6oiJJJwiERT/Yv/P+kAxoGL6oThmvSGFNTgE7Q=="
        #expect(try box.seal(key, random: CountingBytes()) == stored)
        #expect(try box.open(stored).secret.revealed == Self.passphrase)
        let other = try RPCKeyBox(passphrase: Secret("another"))
        #expect(throws: MessagingError.self) { try other.open(stored) }
        #expect(throws: MessagingError.self) { try box.open("plain text") }
    }

    @Test("two boxes of one text differ")
    func fresh() throws {
        let cipher = try SealCipher(passphrase: Self.passphrase.utf8)
        #expect(try cipher.seal([1, 2, 3]) != cipher.seal([1, 2, 3]))
        for count in [0, 1, 15, 16, 17, 4096] {
            let text = SystemRandomSource().bytes(count)
            #expect(try cipher.open(cipher.seal(text)) == text)
        }
    }

    @Test(
        "what is no box is refused",
        arguments: [
            "", "AAAA", "AAECAwQFBgcICQoLDA0ODw==", "not base64!", "AAECAwQFBgcICQoLDA0OD86GPkbFEyNecYwuz7Uzfj==",
        ])
    func noBox(_ text: String) throws {
        let cipher = try SealCipher(passphrase: Self.passphrase.utf8)
        #expect(throws: MessagingError.self) { try cipher.open(text) }
    }

    @Test("a made key has 32 letters and digits, and does not print")
    func made() throws {
        let (one, other) = (try RPCKey.make(), try RPCKey.make())
        #expect(one.secret.revealed.count == 32 && one.secret != other.secret)
        #expect(one.secret.revealed.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
        #expect(!"\(one)".contains(one.secret.revealed) && !String(reflecting: one).contains(one.secret.revealed))
        #expect(throws: MessagingError.self) { try RPCKey(Secret("")) }
    }
}
