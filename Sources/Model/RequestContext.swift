// SPDX-License-Identifier: Apache-2.0

/// Who asks for what: follows a request from HTTP through journal and bus to the engine command.
package struct RequestContext: Sendable, Hashable {
    /// `req-` and a UUID.
    package var requestID: String
    package var userID: String
    package var userName: String
    package var projectID: String
    package var roles: [String]
    package var isAdmin: Bool
    /// Ids of the domains that user and project are of; empty where there is none.
    package var userDomainID: String
    package var projectDomainID: String

    package init(
        requestID: String,
        userID: String = "",
        userName: String = "",
        projectID: String = "",
        roles: [String] = [],
        isAdmin: Bool = false,
        userDomainID: String = "",
        projectDomainID: String = ""
    ) {
        self.requestID = requestID
        self.userID = userID
        self.userName = userName
        self.projectID = projectID
        self.roles = roles
        self.isAdmin = isAdmin
        self.userDomainID = userDomainID
        self.projectDomainID = projectDomainID
    }
}

/// A point on the monotonic clock after which waiting stops.
package struct Deadline: Sendable, Hashable, Comparable {
    package var instant: ContinuousClock.Instant

    package init(_ instant: ContinuousClock.Instant) { self.instant = instant }

    package static func after(_ duration: Duration) -> Deadline { Deadline(.now + duration) }

    package static func < (left: Deadline, right: Deadline) -> Bool { left.instant < right.instant }

    package var isPast: Bool { instant <= .now }

    /// Time left; zero when past.
    package var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }
}
