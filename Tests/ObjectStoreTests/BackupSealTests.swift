// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import Synchronization
import TestSupport
import Testing

@testable import ObjectStore

@Suite("Sealing a stream and back", .timeLimit(.minutes(1)))
struct BackupSealTests {
    @Test("every size comes back", arguments: [0, 1, 100, 4095, 4096, 4097, 50_000, 131_072, 1_000_003])
    func roundTrip(_ size: Int) async throws {
        for plain in [Sample.random(size), Sample.semiCompressible(size), [UInt8](repeating: 0, count: size)] {
            let sealed = try await Sample.seal(plain)
            let back = await Sample.unseal(sealed)
            #expect(back.error == nil)
            #expect(back.plain == plain)
        }
    }

    @Test("a stream through pipes into a store comes back, and the result tells sizes and checksum")
    func throughPipes() async throws {
        try await withTemporaryDirectory { path in
            let store = DirectoryObjectStore(root: path)
            let pattern = Sample.semiCompressible(3_000_001)
            let pipe = PipeEnds()
            defer { close(pipe.reading) }
            try pipe.feed(pattern, total: 5_000_000)
            let sink = try store.create("p1/b1")
            let steps = Mutex<[Int]>([])
            let result = try await BackupSeal.seal(
                inputFD: pipe.reading, sink: sink, backupID: "b1", dataKey: Sample.key, wrappedKey: Sample.wrapped,
                progress: { count in steps.withLock { $0.append(count) } })
            try sink.commit()
            #expect(result.plainBytes == 5_000_000)
            #expect(result.sealedBytes < 4_000_000)
            let told = steps.withLock { $0 }
            #expect(told == told.sorted() && told.last == 5_000_000)

            let whole = try bytes(of: try store.open("p1/b1"))
            #expect(whole.count == result.sealedBytes)
            #expect(try SHA256.digest(whole).hex == result.sha256)
            #expect(try BackupSeal.header(source: try store.open("p1/b1")).wrappedKey == Sample.wrapped)
            let back = await Sample.unseal(whole)
            #expect(back.error == nil)
            #expect(back.plain == Array((pattern + pattern).prefix(5_000_000)))
        }
    }

    private func bytes(of source: any ObjectSource) throws -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8 << 20, alignment: 1)
        defer { buffer.deallocate() }
        return Array(buffer[0..<(try source.readFully(into: buffer))])
    }

    @Test("a silent engine does not hold up cancellation")
    func cancellation() async throws {
        let pipe = PipeEnds()
        defer {
            close(pipe.reading)
            close(pipe.writing)
        }
        let sink = MemoryObject()
        let asked = Atomic<Int>(0)
        let error = await failure {
            try await BackupSeal.seal(
                inputFD: pipe.reading, sink: sink, backupID: "b1", dataKey: Sample.key, wrappedKey: [],
                isCancelled: { asked.add(1, ordering: .relaxed).newValue > 2 })
        }
        #expect(error?.code == .cancelled)
        #expect(sink.isAborted)
    }

    @Test("cancelling the task ends both directions")
    func taskCancellation() async throws {
        let pipe = PipeEnds()
        defer {
            close(pipe.reading)
            close(pipe.writing)
        }
        let sealing = Task {
            await failure {
                try await BackupSeal.seal(
                    inputFD: pipe.reading, sink: MemoryObject(), backupID: "b1", dataKey: Sample.key, wrappedKey: [])
            }
        }
        sealing.cancel()
        #expect(await sealing.value?.code == .cancelled)

        // Nobody reads: two megabytes do not fit into the pipe.
        let sealed = try await Sample.seal(Sample.random(2_000_000))
        let unsealing = Task {
            await failure {
                try await BackupSeal.unseal(
                    source: MemoryObject(sealed), backupID: "b1", dataKey: Sample.key, outputFD: pipe.writing)
            }
        }
        unsealing.cancel()
        #expect(await unsealing.value?.code == .cancelled)
        #expect(fcntl(pipe.writing, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test("a reader that goes away is an error, not a signal")
    func closedOutput() async throws {
        let sealed = try await Sample.seal(Sample.random(3_000_000))
        let pipe = PipeEnds()
        close(pipe.reading)
        defer { close(pipe.writing) }
        let error = await failure {
            try await BackupSeal.unseal(
                source: MemoryObject(sealed), backupID: "b1", dataKey: Sample.key, outputFD: pipe.writing)
        }
        #expect(error?.code == .outputClosed)
    }

    @Test("a store without room stops the engine's stream and drops the object")
    func fullStore() async throws {
        let pipe = PipeEnds()
        defer { close(pipe.reading) }
        try pipe.feed(Sample.random(1 << 20), total: 50 << 20)
        let sink = MemoryObject(capacity: 3 << 20)
        let error = await failure {
            try await BackupSeal.seal(
                inputFD: pipe.reading, sink: sink, backupID: "b1", dataKey: Sample.key, wrappedKey: [])
        }
        #expect(error?.code == .full)
        #expect(sink.isAborted)
    }

    @Test("an output file without room says so")
    func fullOutput() async throws {
        let sealed = try await Sample.seal(Sample.random(100_000))
        let fd = open("/dev/full", O_WRONLY)
        defer { close(fd) }
        let error = await failure {
            try await BackupSeal.unseal(
                source: MemoryObject(sealed), backupID: "b1", dataKey: Sample.key, outputFD: fd)
        }
        #expect(error?.code == .full)
    }

    @Test("keys of another length and impossible backup ids are refused")
    func arguments() async throws {
        let input = ScratchFile()
        for (id, key, code) in [
            ("b1", [UInt8](repeating: 0, count: 16), ObjectStoreError.Code.key), ("../b", Sample.key, .invalidName),
        ] {
            let sink = MemoryObject()
            let error = await failure {
                try await BackupSeal.seal(inputFD: input.fd, sink: sink, backupID: id, dataKey: key, wrappedKey: [])
            }
            #expect(error?.code == code)
            #expect(sink.isAborted)
        }
    }

    private func failure<Value>(_ body: () async throws -> Value) async -> ObjectStoreError? {
        do {
            _ = try await body()
            return nil
        } catch { return error as? ObjectStoreError }
    }
}
