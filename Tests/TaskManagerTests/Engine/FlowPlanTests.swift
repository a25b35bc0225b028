// SPDX-License-Identifier: Apache-2.0

import Model
import TaskManager
import Testing

@Suite("Plans of flows")
struct FlowPlanTests {
    @Test("a plan names every step of its flow, in order")
    func names() {
        for flow in FlowCatalogue.flows {
            let name = type(of: flow).name
            #expect(name.plan.map(\.step) == flow.steps.map(\.name), "\(name)")
            #expect(name.plan.allSatisfy { $0.effect.hasSuffix(".") })
        }
    }
}
