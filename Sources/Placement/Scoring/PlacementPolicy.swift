/// How a node is chosen among those that hold a task.
public enum PlacementPolicy: String, CaseIterable, Hashable, Sendable {
    /// Ours: what the others lose by it, in expected prices of device shares, in fragments, and in nodes begun.
    case suanpan
    /// The smallest growth of fragments, in the paper's steps; then the first node.
    case fgd
    /// The node with the least left.
    case bestfit
    /// The first node.
    case firstfit
    /// Any node.
    case random
}

/// Weights of what ours adds up, in thousandths of a device.
enum SuanpanWeights {
    /// Of a thousandth of growth of fragments. While a cluster fills, what is cut well stays cut well, and prices say enough.
    /// Where tasks end as others come, every rest is cut anew, and what is of use to most counts for more.
    static func fragments(churn: Double) -> Double { 0.1 + 0.9 * churn }
    /// Of the last node against the first: equals are taken in order, so that some nodes stay whole.
    static let order = 100.0
}
