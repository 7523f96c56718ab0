public import ClusterModel

/// Keeps values unreadable in state, journal, tables and backups. The key never leaves the shell that holds it.
public protocol SecretSealer: Sendable {
    func seal(_ value: String, tenant: String) -> [UInt8]
    /// The clear text for the one agent that runs the task; nil when the bytes were not sealed here for this tenant.
    func open(_ sealed: [UInt8], tenant: String) -> [UInt8]?
    /// What only this coordinator can make: with it the agent that runs an attempt reads its inputs and keeps its outputs.
    /// 32 bytes, the same each time.
    func pass(for attempt: AttemptID, _ fence: Fence) -> [UInt8]
    /// What only this coordinator can make, and can make again: with it a node shows that it was told `seen`. 16 bytes.
    func proof(of seen: SeenState, toldTo node: NodeID) -> [UInt8]
}

extension SecretSealer {
    /// `seen` and its proof, as one text that means nothing to the node.
    public func mark(_ seen: SeenState, for node: NodeID) -> [UInt8] { proof(of: seen, toldTo: node) + seen.canonicalBytes }

    /// What a mark says; nothing when it was not made here for this node.
    public func seen(in mark: [UInt8], by node: NodeID) -> SeenState {
        guard mark.count > 16, let seen = try? SeenState(canonicalBytes: Array(mark[16...])) else { return SeenState() }
        let proof = proof(of: seen, toldTo: node)
        // Every byte is looked at, whatever the first ones are.
        return zip(mark, proof).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0 ? seen : SeenState()
    }

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
