public import ClusterModel

/// Keeps values unreadable in state, journal, tables and backups. The key never leaves the shell that holds it.
public protocol SecretSealer: Sendable {
    func seal(_ value: String, tenant: String) -> [UInt8]
    /// The clear text for the one agent that runs the task; nil when the bytes were not sealed here for this tenant.
    func open(_ sealed: [UInt8], tenant: String) -> [UInt8]?
    /// What only this coordinator can make: with it the agent that runs an attempt reads its inputs and keeps its outputs.
    /// 32 bytes, the same each time.
    func pass(for attempt: AttemptID, _ fence: Fence) -> [UInt8]
}

extension SecretSealer {
    /// A start batch as its agent gets it: values in clear and passes, which only CURVE protects from then on.
    public func opened(_ batch: StartBatch) -> StartBatch {
        var opened = batch
        opened.template.environment = self.opened(batch.template.environment, batch.template.tenant)
        opened.template.secretFiles = self.opened(batch.template.secretFiles, batch.template.tenant)
        if batch.template.isStaged {
            for index in opened.starts.indices {
                opened.starts[index].pass = pass(for: opened.starts[index].attempt, opened.starts[index].fence)
            }
        }
        return opened
    }

    private func opened(_ variables: [SealedVariable], _ tenant: String) -> [SealedVariable] {
        variables.map { SealedVariable(name: $0.name, sealedValue: open($0.sealedValue, tenant: tenant) ?? []) }
    }
}
