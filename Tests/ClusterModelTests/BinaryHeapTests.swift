import ClusterModel
import Testing

@Suite struct BinaryHeapTests {
    private func drained(_ heap: BinaryHeap<Int>) -> [Int] {
        var heap = heap
        var elements: [Int] = []
        while let element = heap.removeFirst() { elements.append(element) }
        return elements
    }

    @Test(arguments: [[], [1], [2, 1], [5, 3, 5, 1, 4, 1, 9, 2, 6], Array((1...100).reversed())])
    func elementsLeaveInOrder(_ elements: [Int]) {
        var heap = BinaryHeap<Int>()
        for element in elements { heap.insert(element) }
        #expect(heap.count == elements.count)
        #expect(heap.first == elements.min())
        #expect(drained(heap) == elements.sorted())
        heap.keep { $0 % 2 == 0 }
        heap.insert(0)
        #expect(drained(heap) == [0] + elements.filter { $0 % 2 == 0 }.sorted())
    }
}
