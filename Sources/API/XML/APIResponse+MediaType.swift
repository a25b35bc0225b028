// SPDX-License-Identifier: Apache-2.0

extension APIResponse {
    /// This answer in the form that `request` asks for. Routes answer in JSON; what is in another type stays as it is.
    func represented(for request: APIRequest) -> APIResponse {
        guard MediaType(answering: request) == .xml, contentType == MediaType.json.contentType else { return self }
        var response = self
        if !body.isEmpty {
            let kind: XMLTranslator.Kind =
                status >= 400 ? .fault : VersionDocuments.paths.contains(request.path) ? .versions : .resource
            guard let xml = XMLTranslator.translate(body, kind) else { return self }
            response.body = xml
        }
        response.contentType = MediaType.xml.contentType
        return response
    }
}
