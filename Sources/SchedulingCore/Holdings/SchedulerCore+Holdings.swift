public import ClusterModel

extension SchedulerCore {
    /// Secrets of one tenant.
    static let secretsPerTenant = 10_000
    /// Versions of all data sets of one tenant.
    static let datasetsPerTenant = 100_000

    // MARK: Decide

    func decideSecret(_ secret: SecretRecord) throws(Rejection) -> Decided {
        try require(secret.name, "name")
        try require(secret.tenant, "tenant")
        guard secret.sealedValue.count <= SecretRecord.sizeMax else {
            throw .invalid([FieldError("value", "must have at most \(SecretRecord.sizeMax >> 10) KiB")])
        }
        if secrets[secret.id] == nil, secrets.keys.count(where: { $0.tenant == secret.tenant }) >= Self.secretsPerTenant {
            throw .conflict("the tenant has \(Self.secretsPerTenant) secrets, the most allowed; remove some")
        }
        return Decided(events: [.secretSet(secret)])
    }

    func decideRemoveSecret(tenant: String, name: String, at now: LogicalTime) throws(Rejection) -> Decided {
        guard secrets[HoldingID(tenant: tenant, name: name)] != nil else { throw .notFound("Secret '\(name.prefix(80))'") }
        return Decided(events: [.secretRemoved(tenant: tenant, name: name, at: now)])
    }

    /// The same version with the same tree again is no news; with another tree it is refused.
    func decideDataset(_ dataset: DatasetVersion) throws(Rejection) -> Decided {
        try require(dataset.name, "name")
        try require(dataset.version, "version")
        try require(dataset.tenant, "tenant")
        if let known = datasets[dataset.id] {
            guard known.tree == dataset.tree else {
                throw .conflict(
                    "data set '\(dataset.name)@\(dataset.version)' exists with other files; a version never changes: choose another")
            }
            return Decided()
        }
        guard datasets.keys.count(where: { $0.tenant == dataset.tenant }) < Self.datasetsPerTenant else {
            throw .conflict("the tenant has \(Self.datasetsPerTenant) versions of data sets, the most allowed; remove some")
        }
        return Decided(events: [.datasetCreated(dataset)])
    }

    func decideRemoveDataset(tenant: String, name: String, version: String, at now: LogicalTime) throws(Rejection) -> Decided {
        guard datasets[HoldingID(tenant: tenant, name: name, version: version)] != nil else {
            throw .notFound("Data set '\(name.prefix(80))@\(version.prefix(80))'")
        }
        return Decided(events: [.datasetRemoved(tenant: tenant, name: name, version: version, at: now)])
    }

    private func require(_ name: String, _ field: String) throws(Rejection) {
        if !ObjectName.isValid(name) { throw .invalid([FieldError(field, "'\(name.prefix(80))' must match \(ObjectName.grammar)")]) }
    }

    /// A job names only secrets that its tenant has: a task that starts without one would fail late.
    func requireSecrets(_ specification: JobSpecification) throws(Rejection) {
        let errors = specification.secrets.enumerated().compactMap { index, secret -> FieldError? in
            guard secrets[HoldingID(tenant: specification.tenant, name: secret.name)] == nil else { return nil }
            return FieldError(
                "secrets[\(index)]",
                "the tenant '\(specification.tenant)' has no secret '\(secret.name)': make it with 'suanpan secret set'")
        }
        if !errors.isEmpty { throw .invalid(errors) }
    }

    // MARK: Evolve

    mutating func evolveSecretSet(_ secret: SecretRecord) {
        advance(to: secret.setAt)
        secrets[secret.id] = secret
    }

    mutating func evolveSecretRemoved(tenant: String, name: String, at: LogicalTime) {
        advance(to: at)
        secrets[HoldingID(tenant: tenant, name: name)] = nil
    }

    mutating func evolveDatasetCreated(_ dataset: DatasetVersion) {
        advance(to: dataset.createdAt)
        datasets[dataset.id] = dataset
    }

    mutating func evolveDatasetRemoved(tenant: String, name: String, version: String, at: LogicalTime) {
        advance(to: at)
        datasets[HoldingID(tenant: tenant, name: name, version: version)] = nil
    }

    // MARK: Views

    /// A tenant's secrets without their values, or all tenants', in order.
    public func secretRecords(of tenant: String?) -> [SecretRecord] {
        secrets.values.filter { tenant == nil || $0.tenant == tenant }.sorted { $0.id < $1.id }
    }

    public func datasetVersions(of tenant: String?) -> [DatasetVersion] {
        datasets.values.filter { tenant == nil || $0.tenant == tenant }.sorted { $0.id < $1.id }
    }

    public func dataset(_ name: String, version: String, tenant: String) -> DatasetVersion? {
        datasets[HoldingID(tenant: tenant, name: name, version: version)]
    }

    /// Trees that live jobs and data sets refer to, by tenant: what must not be swept away.
    public var treesInUse: [String: [ContentDigest]] {
        var trees: [String: [ContentDigest]] = [:]
        for id in jobs.ids {
            guard let specification = jobs[id]?.specification else { continue }
            trees[specification.tenant, default: []] += specification.inputs.compactMap(\.tree)
        }
        for dataset in datasets.values { trees[dataset.tenant, default: []].append(dataset.tree) }
        return trees
    }

    /// A task's secrets as the shell that sends opens them: variables, and files. One removed since the submission is empty.
    func secretVariables(of specification: JobSpecification) -> (variables: [SealedVariable], files: [SealedVariable]) {
        var result: (variables: [SealedVariable], files: [SealedVariable]) = ([], [])
        for use in specification.secrets {
            let sealed = secrets[HoldingID(tenant: specification.tenant, name: use.name)]?.sealedValue ?? []
            if use.variable.isEmpty {
                result.files.append(SealedVariable(name: use.name, sealedValue: sealed))
            } else {
                result.variables.append(SealedVariable(name: use.variable, sealedValue: sealed))
            }
        }
        return result
    }

    // MARK: Snapshot

    func writeHoldings(to writer: inout CanonicalWriter) {
        writer.write(secretRecords(of: nil))
        writer.write(datasetVersions(of: nil))
    }

    mutating func readHoldings(_ reader: inout CanonicalReader) throws(CanonicalError) {
        for secret in try reader.readList(SecretRecord.self) { secrets[secret.id] = secret }
        for dataset in try reader.readList(DatasetVersion.self) { datasets[dataset.id] = dataset }
    }
}
