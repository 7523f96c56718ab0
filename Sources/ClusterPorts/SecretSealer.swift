public import ClusterModel

/// Keeps values unreadable in state, journal, tables and backups. The key never leaves the shell that holds it.
public protocol SecretSealer: Sendable {
    func seal(_ value: String, tenant: String) -> [UInt8]
    /// The clear text for the one agent that runs the task; nil when the bytes were not sealed here for this tenant.
    func open(_ sealed: [UInt8], tenant: String) -> [UInt8]?
}

extension SecretSealer {
    /// A start batch as its agent gets it: values in clear, which only CURVE protects from then on.
    public func opened(_ batch: StartBatch) -> StartBatch {
        guard !batch.template.environment.isEmpty else { return batch }
        var opened = batch
        opened.template.environment = batch.template.environment.map { variable in
            SealedVariable(name: variable.name, sealedValue: open(variable.sealedValue, tenant: batch.template.tenant) ?? [])
        }
        return opened
    }
}
