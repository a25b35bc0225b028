// SPDX-License-Identifier: Apache-2.0

import Model

extension BuiltInIdentity {
    /// Longest body that is looked at.
    static let maximumBodyBytes = 64 << 10

    package func handle(_ request: IdentityRequest) async -> IdentityResponse {
        var response: IdentityResponse
        do throws(IdentityError) { response = try await route(request) } catch {
            response = .fault(error, baseURL: request.baseURL)
        }
        if request.method == "HEAD" { response.body = [] }
        return response
    }

    private func route(_ request: IdentityRequest) async throws(IdentityError) -> IdentityResponse {
        let path = request.path.split(separator: "/").map(String.init)
        if path == ["v3", "auth", "tokens"] { return try await tokens(request) }
        guard let known = Self.readable(path) else {
            throw IdentityError(.notFound, "The resource could not be found.")
        }
        guard request.method == "GET" || request.method == "HEAD" else { return .methodNotAllowed("GET, HEAD") }
        let views = views(request)
        switch known {
        case .versions:
            return .json(views.versions, status: 300, headers: [("Location", "\(request.baseURL)/identity/v3/")])
        case .version: return .json(["version": views.version])
        case .catalog, .ownProjects, .ownDomains: return try own(known, request, views)
        case .users, .user, .userProjects: return try users(known, request, views)
        case .projects, .project: return try projects(known, request, views)
        case .domains: return try domains(nil, request, views)
        case .domain(let id): return try domains(id, request, views)
        }
    }

    enum Page: Sendable, Hashable {
        case versions, version, catalog, ownProjects, ownDomains, users, projects, domains
        case user(String)
        case userProjects(String)
        case project(String)
        case domain(String)
    }

    /// What a path below `/identity` names; `nil` for nothing.
    private static func readable(_ path: [String]) -> Page? {
        switch path.count {
        case 0: .versions
        case 1 where path[0] == "v3": .version
        case 2 where path[0] == "v3": ["users": .users, "projects": .projects, "domains": .domains][path[1]]
        case 3 where path[0] == "v3":
            switch path[1] {
            case "auth": ["catalog": .catalog, "projects": .ownProjects, "domains": .ownDomains][path[2]]
            case "users": .user(path[2])
            case "projects": .project(path[2])
            case "domains": .domain(path[2])
            default: nil
            }
        case 4 where path[0] == "v3" && path[1] == "users" && path[3] == "projects": .userProjects(path[2])
        default: nil
        }
    }

    private func views(_ request: IdentityRequest) -> IdentityViews {
        IdentityViews(baseURL: request.baseURL, region: region, keyManager: keyManager)
    }

    /// Who sent the request.
    private func caller(_ request: IdentityRequest) throws(IdentityError) -> VerifiedToken {
        guard let token = request.header("x-auth-token") else { throw .unauthorized }
        return try verify(token)
    }
}

extension BuiltInIdentity {
    /// `/v3/auth/tokens`: POST makes one, GET and HEAD look at one, DELETE ends one.
    private func tokens(_ request: IdentityRequest) async throws(IdentityError) -> IdentityResponse {
        switch request.method {
        case "POST":
            guard request.body.count <= Self.maximumBodyBytes else {
                throw IdentityError(.badRequest, "The request body is larger than \(Self.maximumBodyBytes) bytes.")
            }
            let token = try await issueToken(for: try AuthenticationRequest(body: request.body))
            return document(of: token, request, status: 201)
        case "GET", "HEAD": return document(of: try subject(request), request, status: 200)
        case "DELETE":
            try await revoke(try subject(request))
            return IdentityResponse(status: 204, headers: [("Vary", "X-Auth-Token")])
        default: return .methodNotAllowed("GET, HEAD, POST, DELETE")
        }
    }

    /// The token a request is about: the caller's own user's, or anybody's for administrators.
    private func subject(_ request: IdentityRequest) throws(IdentityError) -> VerifiedToken {
        let caller = try caller(request)
        guard let text = request.header("x-subject-token") else {
            throw IdentityError(.badRequest, "The header X-Subject-Token is missing.")
        }
        guard let subject = try? verify(text) else { throw IdentityError(.notFound, "Could not find token.") }
        guard caller.identity.isAdmin || caller.identity.userID == subject.identity.userID else {
            throw IdentityError(.forbidden, "You are not authorized to look at this token.")
        }
        return subject
    }

    private func document(of token: VerifiedToken, _ request: IdentityRequest, status: Int) -> IdentityResponse {
        let withCatalog = RequestQuery(request.query)["nocatalog"] == nil
        return .json(
            views(request).token(token, in: directory, withCatalog: withCatalog), status: status,
            headers: [("X-Subject-Token", token.text)])
    }

    private func own(
        _ page: Page, _ request: IdentityRequest, _ views: IdentityViews
    ) throws(IdentityError) -> IdentityResponse {
        let caller = try caller(request)
        switch page {
        case .catalog:
            guard let projectID = caller.payload.projectID else {
                throw IdentityError(.forbidden, "A project-scoped token is required to produce a service catalog.")
            }
            let catalog = ServiceCatalog(baseURL: request.baseURL, region: region, keyManager: keyManager)
                .json(projectID: projectID)
            return .json([
                "catalog": catalog, "links": ["self": .string(request.baseURL + "/identity/v3/auth/catalog")],
            ])
        case .ownProjects:
            let directory = directory
            let projects = directory.users[caller.identity.userID].map { directory.projects(of: $0) } ?? []
            return .json(views.list("projects", projects.map(views.project), path: "/v3/auth/projects"))
        default: return .json(views.list("domains", [], path: "/v3/auth/domains"))
        }
    }

    private func users(
        _ page: Page, _ request: IdentityRequest, _ views: IdentityViews
    ) throws(IdentityError) -> IdentityResponse {
        let caller = try caller(request)
        let directory = directory
        let visible = directory.users.values.filter { caller.identity.isAdmin || $0.id == caller.identity.userID }
        func find(_ id: String) throws(IdentityError) -> IdentityUser {
            guard let user = visible.first(where: { $0.id == id }) else {
                throw IdentityError(.notFound, "Could not find user: \(id).")
            }
            return user
        }
        switch page {
        case .user(let id): return .json(["user": views.user(try find(id))])
        case .userProjects(let id):
            let projects = directory.projects(of: try find(id))
            return .json(views.list("projects", projects.map(views.project), path: "/v3/users/\(id)/projects"))
        default:
            let query = RequestQuery(request.query)
            let users = visible.filter { query.admits(name: $0.name) }.sorted { $0.name < $1.name }
            return .json(views.list("users", users.map(views.user), path: "/v3/users"))
        }
    }

    private func projects(
        _ page: Page, _ request: IdentityRequest, _ views: IdentityViews
    ) throws(IdentityError) -> IdentityResponse {
        let caller = try caller(request)
        let directory = directory
        let own = directory.users[caller.identity.userID].map { directory.projects(of: $0) } ?? []
        let visible = caller.identity.isAdmin ? Array(directory.projects.values) : own
        if case .project(let id) = page {
            guard let project = visible.first(where: { $0.id == id }) else {
                throw IdentityError(.notFound, "Could not find project: \(id).")
            }
            return .json(["project": views.project(project)])
        }
        let query = RequestQuery(request.query)
        let projects = visible.filter { query.admits(name: $0.name) }.sorted { $0.name < $1.name }
        return .json(views.list("projects", projects.map(views.project), path: "/v3/projects"))
    }

    private func domains(
        _ id: String?, _ request: IdentityRequest, _ views: IdentityViews
    ) throws(IdentityError) -> IdentityResponse {
        _ = try caller(request)
        guard let id else {
            let isWanted = RequestQuery(request.query).admits(name: IdentityDirectory.domainName)
            return .json(views.list("domains", isWanted ? [views.domain] : [], path: "/v3/domains"))
        }
        guard id == IdentityDirectory.domainID else {
            throw IdentityError(.notFound, "Could not find domain: \(id).")
        }
        return .json(["domain": views.domain])
    }
}
