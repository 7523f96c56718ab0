/// Rows by counted identifier, iterated in identifier order.
///
/// Paged: a change touches one page of 64 rows, so a table shared with nobody is changed in place and a table that is
/// shared by mistake costs one page, not all rows. Pages before the oldest row are given back. Inlinable, so that other
/// modules use it specialised: unspecialised, a look-up costs ten times as much.
public struct Table<ID: CountedIdentifier, Row: Sendable>: Sendable {
    @usableFromInline typealias Page = ContiguousArray<Row?>
    @usableFromInline static var pageSize: UInt64 { 64 }

    @usableFromInline var pages: ContiguousArray<Page> = []
    /// Page number of `pages[0]`.
    @usableFromInline var firstPage: UInt64 = 0
    @usableFromInline var rowCount = 0
    @inlinable public var count: Int { rowCount }

    @inlinable public init() {}

    @inlinable public var isEmpty: Bool { count == 0 }

    @inlinable func slot(of id: ID) -> (page: Int, row: Int)? {
        let page = id.value / Self.pageSize
        guard page >= firstPage, page - firstPage < UInt64(pages.count) else { return nil }
        let index = Int(page - firstPage)
        guard !pages[index].isEmpty else { return nil }
        return (index, Int(id.value % Self.pageSize))
    }

    @inlinable public subscript(id: ID) -> Row? {
        guard let slot = slot(of: id) else { return nil }
        return pages[slot.page][slot.row]
    }

    /// Inserts or replaces.
    @inlinable public mutating func set(_ row: Row, for id: ID) {
        makeRoom(for: id.value / Self.pageSize)
        let page = Int(id.value / Self.pageSize - firstPage)
        if pages[page].isEmpty { pages[page] = Page(repeating: nil, count: Int(Self.pageSize)) }
        let index = Int(id.value % Self.pageSize)
        if pages[page][index] == nil { rowCount += 1 }
        pages[page][index] = row
    }

    @inlinable mutating func makeRoom(for page: UInt64) {
        if pages.isEmpty { firstPage = page }
        if page < firstPage {
            pages.insert(contentsOf: repeatElement(Page(), count: Int(firstPage - page)), at: 0)
            firstPage = page
        }
        while page - firstPage >= UInt64(pages.count) { pages.append(Page()) }
    }

    /// Changes a row in place; nil when there is none.
    @inlinable public mutating func update<Result>(_ id: ID, _ body: (inout Row) -> Result) -> Result? {
        guard let slot = slot(of: id), pages[slot.page][slot.row] != nil else { return nil }
        return body(&pages[slot.page][slot.row]!)
    }

    @inlinable @discardableResult public mutating func remove(_ id: ID) -> Row? {
        guard let slot = slot(of: id), let row = pages[slot.page][slot.row] else { return nil }
        pages[slot.page][slot.row] = nil
        rowCount -= 1
        if pages[slot.page].allSatisfy({ $0 == nil }) { pages[slot.page] = Page() }
        let leading = pages.prefix { $0.isEmpty }.count
        if leading > 16 {
            pages.removeFirst(leading)
            firstPage += UInt64(leading)
        }
        return row
    }

    /// Rows in identifier order.
    @inlinable public func forEach(_ body: (ID, borrowing Row) -> Void) {
        for (pageIndex, page) in pages.enumerated() {
            for (rowIndex, row) in page.enumerated() {
                if let row { body(ID((firstPage + UInt64(pageIndex)) * Self.pageSize + UInt64(rowIndex)), row) }
            }
        }
    }

    /// Rows from `first` on that lie on the next `count` pages: one piece of a look at all of them.
    ///
    /// - Returns: where the next piece begins; nil after the last.
    @inlinable public func forEach(from first: ID, pages count: Int, _ body: (ID, borrowing Row) -> Void) -> ID? {
        let page = max(first.value / Self.pageSize, firstPage)
        guard page - firstPage < UInt64(pages.count) else { return nil }
        let begin = Int(page - firstPage)
        let end = min(begin + count, pages.count)
        for index in begin..<end {
            let base = (firstPage + UInt64(index)) * Self.pageSize
            for (rowIndex, row) in pages[index].enumerated() {
                if let row, base + UInt64(rowIndex) >= first.value { body(ID(base + UInt64(rowIndex)), row) }
            }
        }
        return end < pages.count ? ID((firstPage + UInt64(end)) * Self.pageSize) : nil
    }

    /// Identifiers in order.
    @inlinable public var ids: [ID] {
        var list: [ID] = []
        list.reserveCapacity(count)
        forEach { id, _ in list.append(id) }
        return list
    }
}
