// SPDX-License-Identifier: Apache-2.0

/// Passwords that a plugin makes.
public enum RandomPassword {
    /// Letters and digits from the system's random source.
    public static func make(length: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        var source = SystemRandomNumberGenerator()
        return String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &source)] })
    }
}
