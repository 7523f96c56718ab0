/// The least element in constant time; adding and removing cost the logarithm of the count. The core has no packages, so it
/// has its own. Inlinable, so that other modules use it specialised.
public struct BinaryHeap<Element: Comparable> {
    @usableFromInline var elements: [Element] = []

    @inlinable public init() {}

    @inlinable public var first: Element? { elements.first }
    @inlinable public var count: Int { elements.count }

    @inlinable public mutating func insert(_ element: Element) {
        var child = elements.count
        elements.append(element)
        while child > 0, elements[(child - 1) / 2] > elements[child] {
            elements.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    @inlinable @discardableResult
    public mutating func removeFirst() -> Element? {
        guard let first = elements.first, let last = elements.popLast() else { return nil }
        guard !elements.isEmpty else { return first }
        elements[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < elements.count else { return first }
            let child = left + 1 < elements.count && elements[left + 1] < elements[left] ? left + 1 : left
            guard elements[child] < elements[parent] else { return first }
            elements.swapAt(child, parent)
            parent = child
        }
    }

    /// All that are not greater than `bound`, ascending. Costs nothing for those that are.
    @inlinable public func elements(through bound: Element) -> [Element] {
        var found: [Element] = []
        var open = elements.isEmpty ? [] : [0]
        while let place = open.popLast() {
            guard elements[place] <= bound else { continue }
            found.append(elements[place])
            for child in [2 * place + 1, 2 * place + 2] where child < elements.count { open.append(child) }
        }
        return found.sorted()
    }

    /// Linear; keeps those that satisfy the condition.
    @inlinable public mutating func keep(where belongs: (Element) -> Bool) {
        // A sorted array is a heap.
        elements = elements.filter(belongs).sorted()
    }
}

extension BinaryHeap: Sendable where Element: Sendable {}
