// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Testing

@testable import Compute

@Suite("Access rules")
struct AccessTests {
    @Test("networks are read as nft reads them")
    func networks() {
        #expect(IPv4Network("10.1.2.3/8")?.text == "10.0.0.0/8")
        #expect(IPv4Network("10.1.2.3")?.text == "10.1.2.3/32")
        #expect(IPv4Network("10.1.2.3/0")?.text == "0.0.0.0/0")
        for text in ["10.1.2", "10.1.2.256", "10.1.2.3/33", "10.1.2.3/", "::1/128", ""] {
            #expect(IPv4Network(text) == nil)
        }
    }

    @Test("without root rules are refused, and being open needs none")
    func refused() async throws {
        try await TestHost.run(.plain) { _, compute in
            _ = try await compute.allocate("a", ports: [7000])
            let error = await computeError { try await compute.setAccess("a", allowed: ["10.0.0.0/8"]) }
            #expect(error?.code == .unsupported)
            try await compute.setAccess("a", allowed: [])
            try await compute.setAccess("a", allowed: ["0.0.0.0/0"])
            try await compute.release("a")
        }
    }

    @Test(
        "rules are there while they are wanted, and made again when the host loses them", .enabled(if: TestHost.isRoot))
    func life() async throws {
        try await TestHost.run { host, compute in
            guard compute.filter.refusal() == nil else { return }
            let filter = compute.filter
            _ = try await compute.allocate("a", ports: [7000])
            _ = try await compute.allocate("b", ports: [7000])
            try await compute.setAccess("a", allowed: ["127.0.0.9", "127.9.0.0/16", "127.9.1.0/24"])
            try await compute.setAccess("b", allowed: ["10.0.0.0/8"])
            #expect(try filter.instances() == ["a", "b"])
            #expect(Set(try await compute.inventory()).isSuperset(of: compute.accessResources(for: "a")))
            let error = await computeError { try await compute.setAccess("a", allowed: ["nonsense"]) }
            #expect(error?.code == .unsupported)

            try filter.replace([])
            #expect(try filter.instances() == nil)
            let again = try await LocalCompute.open(host.configuration)
            #expect(try filter.instances() == ["a", "b"])
            await again.close()

            try await compute.setAccess("b", allowed: [])
            #expect(try filter.instances() == ["a"])
            try await compute.deleteVolume("a")
            #expect(try filter.instances() == ["a"], "until its address is given back")
            for id in ["a", "b"] { try await compute.release(id) }
            #expect(try filter.instances() == nil)
            #expect(try await compute.inventory() == [])
        }
    }
}
