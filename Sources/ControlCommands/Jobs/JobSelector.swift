import ClusterModel

/// What names a job on the command line: its number, or `last` for the newest of one's own.
enum JobSelector {
    /// Numbers for all of `texts`, in their order; commas separate as well.
    static func resolve(_ texts: [String], through client: CoordinatorClient) async throws(CommandFailure) -> [String] {
        var jobs: [String] = []
        for text in texts.flatMap({ $0.split(separator: ",").map(String.init) }) {
            jobs.append(try await resolve(text, through: client))
        }
        return jobs
    }

    /// A task's id, `12.5` or `last.5`, as the job and the index of the task; a job alone has no index.
    static func parts(of text: String) throws(CommandFailure) -> (job: String, task: UInt32?) {
        guard let dot = text.firstIndex(of: ".") else { return (text, nil) }
        guard let task = UInt32(text[text.index(after: dot)...]) else {
            throw CommandFailure(.usage, "'\(text)' is not a task; expected JOB.INDEX, such as 12.5")
        }
        return (String(text[..<dot]), task)
    }

    static func resolve(_ text: String, through client: CoordinatorClient) async throws(CommandFailure) -> String {
        if text == "last" {
            // Newest first is the list's order.
            let newest = try await client.get("/v1/jobs", query: [("limit", "1")])
            guard let id = newest["items"]?.items?.first?["id"]?.scalarText else {
                throw CommandFailure(.notFound, "there is no job yet")
            }
            return id
        }
        guard let id = JobID(parsing: text) else {
            throw CommandFailure(.usage, "'\(text)' is not a job; expected its number, or last")
        }
        return id.description
    }
}
