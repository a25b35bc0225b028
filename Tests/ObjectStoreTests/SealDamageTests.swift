// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ObjectStore

@Suite("Damaged backups", .timeLimit(.minutes(1)))
struct SealDamageTests {
    /// A file of small frames, cut into its parts.
    private struct Parts {
        var plain: [UInt8]
        var header: [UInt8]
        var frames: [[UInt8]]

        init(_ size: Int = 30_000, backupID: String = "b1") async throws {
            plain = Sample.random(size)
            let file = try await Sample.seal(plain, backupID: backupID)
            header = Array(file[0..<(16 + backupID.utf8.count + Sample.wrapped.count)])
            frames = []
            var offset = header.count
            while offset < file.count {
                let length = Int(SealFormat.number(file[offset..<(offset + 4)])) & 0x7FFF_FFFF
                frames.append(Array(file[offset..<(offset + 4 + length + 16)]))
                offset += 20 + length
            }
        }

        var file: [UInt8] { header + frames.joined() }
    }

    /// Expects `.corrupt` that says `words`, and that what came out before is a beginning of the truth.
    private func expectDamage(
        _ file: [UInt8], _ plain: [UInt8], _ words: String, backupID: String = "b1", key: [UInt8] = Sample.key,
        location: SourceLocation = #_sourceLocation
    ) async {
        let result = await Sample.unseal(file, backupID: backupID, key: key)
        #expect(result.error?.code == .corrupt, sourceLocation: location)
        #expect(
            result.error?.message.contains(words) == true, "\(result.error?.message ?? "")", sourceLocation: location)
        #expect(plain.starts(with: result.plain), sourceLocation: location)
    }

    @Test("the untouched file is whole")
    func whole() async throws {
        let parts = try await Parts()
        #expect(parts.frames.count == 8)
        #expect(await Sample.unseal(parts.file).plain == parts.plain)
    }

    @Test("another key fails at the first frame and lets nothing out")
    func wrongKey() async throws {
        let parts = try await Parts()
        await expectDamage(parts.file, [], "Frame 0 of backup b1", key: Sample.random(32))
    }

    @Test("another backup's file is refused, also under a forged header")
    func wrongBackup() async throws {
        let parts = try await Parts()
        await expectDamage(parts.file, [], "names backup b1", backupID: "b2")
        var forged = parts
        forged.header[17] = UInt8(ascii: "2")
        await expectDamage(forged.file, [], "Frame 0 of backup b2", backupID: "b2")
    }

    @Test("a changed wrapped key in the header is noticed")
    func wrappedKey() async throws {
        var parts = try await Parts()
        parts.header[parts.header.count - 1] ^= 1
        await expectDamage(parts.file, [], "Frame 0")
    }

    @Test("a flipped bit anywhere in a frame is named")
    func flippedBits() async throws {
        let parts = try await Parts()
        for offset in [0, 3, 4, 100, 4099, 4100, 4115] {
            var damaged = parts
            damaged.frames[3][offset] ^= 1
            await expectDamage(damaged.file, parts.plain, "Frame 3 of backup b1")
        }
    }

    @Test("frames that are swapped, missing, doubled or foreign are named")
    func order() async throws {
        let parts = try await Parts()
        var swapped = parts
        swapped.frames.swapAt(2, 3)
        await expectDamage(swapped.file, parts.plain, "Frame 2")
        var missing = parts
        missing.frames.remove(at: 4)
        await expectDamage(missing.file, parts.plain, "Frame 4")
        var doubled = parts
        doubled.frames.insert(parts.frames[1], at: 1)
        await expectDamage(doubled.file, parts.plain, "Frame 2")
        var foreign = parts
        foreign.frames[5] = try await Parts(backupID: "b9").frames[5]
        await expectDamage(foreign.file, parts.plain, "Frame 5")
    }

    @Test("an end that comes too early or too late is noticed")
    func ends() async throws {
        let parts = try await Parts()
        var short = parts
        short.frames.removeLast()
        await expectDamage(short.file, parts.plain, "Frame 7 of backup b1 is damaged: it is missing")
        var marked = short
        marked.frames[6][0] |= 0x80
        await expectDamage(marked.file, parts.plain, "Frame 6")
        await expectDamage(parts.file + [0], parts.plain, "Frame 8 of backup b1")
        await expectDamage(parts.file + parts.frames[7], parts.plain, "Frame 8 of backup b1")
        var unmarked = parts
        unmarked.frames[7][0] &= 0x7F
        await expectDamage(unmarked.file, parts.plain, "Frame 7")
    }

    @Test("a length that asks for more than a frame is refused")
    func length() async throws {
        var parts = try await Parts()
        parts.frames[0].replaceSubrange(0..<4, with: [0x7F, 0xFF, 0xFF, 0xFF])
        await expectDamage(parts.file, [], "Frame 0")
    }

    @Test("every cut, and every cut with rubbish after it, is noticed")
    func truncations() async throws {
        let parts = try await Parts(20_000)
        let file = parts.file
        for _ in 0..<60 {
            let cut = Int.random(in: 0..<file.count)
            await expectDamage(Array(file[0..<cut]), parts.plain, "")
            await expectDamage(Array(file[0..<cut]) + Sample.random(Int.random(in: 1...5000)), parts.plain, "")
        }
    }

    @Test("every changed byte is noticed")
    func mutations() async throws {
        let parts = try await Parts(20_000)
        for _ in 0..<100 {
            var file = parts.file
            file[Int.random(in: file.indices)] ^= UInt8.random(in: 1...255)
            await expectDamage(file, parts.plain, "")
        }
    }
}
