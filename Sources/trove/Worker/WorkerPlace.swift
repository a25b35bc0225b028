// SPDX-License-Identifier: Apache-2.0

/// Which of a home's workers this one is.
struct WorkerPlace: Sendable {
    var roles: Set<Role>
    /// Of its parent among those with the same roles on this home, from 1.
    var number: Int
    /// Among its parent's workers, from 0.
    var slot: Int
    var parent: Int32

    /// Whether it is the home's only worker.
    var isAlone: Bool { roles == Role.all }
    /// Whether it speaks for its parent where one answer is wanted.
    var isSpeaker: Bool { slot == 0 }

    /// `host`, or `host-2` for the second process of its kind there.
    func name(on host: String) -> String { number == 1 ? host : "\(host)-\(number)" }
}
