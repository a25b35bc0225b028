// SPDX-License-Identifier: Apache-2.0

/// What a caller wants to do something to, as `%(name)s` in rules sees it.
///
/// Shape: `tenant`, `tenant_id` and `project_id` are the owner's project. Anything else is absent, and a check that names it
/// does not hold. Source: targets of the reference service, which have `tenant`; the two other names are how rules of other
/// services spell it.
package struct PolicyTarget: Sendable, Hashable {
    package var projectID: String

    package init(projectID: String) { self.projectID = projectID }

    /// Names that rules can use.
    package static let names: Set<String> = ["tenant", "tenant_id", "project_id"]

    @inline(__always)
    func value(_ name: Name) -> String? {
        switch name {
        case .owner: projectID
        case .absent: nil
        }
    }

    /// A name, looked up once when a rule is read.
    enum Name: Sendable, Hashable {
        case owner
        case absent

        init(_ text: String) { self = PolicyTarget.names.contains(text) ? .owner : .absent }
    }
}
