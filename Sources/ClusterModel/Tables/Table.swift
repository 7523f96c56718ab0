/// Rows by counted identifier, iterated in identifier order.
///
/// Paged: a change touches one page of 64 rows, so a table shared with nobody is changed in place and a table that is
/// shared by mistake costs one page, not all rows. Pages before the oldest row are given back.
public struct Table<ID: CountedIdentifier, Row: Sendable>: Sendable {
    private typealias Page = ContiguousArray<Row?>
    private static var pageSize: UInt64 { 64 }

    private var pages: ContiguousArray<Page> = []
    /// Page number of `pages[0]`.
    private var firstPage: UInt64 = 0
    public private(set) var count = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    private func slot(of id: ID) -> (page: Int, row: Int)? {
        let page = id.value / Self.pageSize
        guard page >= firstPage, page - firstPage < UInt64(pages.count) else { return nil }
        let index = Int(page - firstPage)
        guard !pages[index].isEmpty else { return nil }
        return (index, Int(id.value % Self.pageSize))
    }

    public subscript(id: ID) -> Row? {
        guard let slot = slot(of: id) else { return nil }
        return pages[slot.page][slot.row]
    }

    /// Inserts or replaces.
    public mutating func set(_ row: Row, for id: ID) {
        makeRoom(for: id.value / Self.pageSize)
        let page = Int(id.value / Self.pageSize - firstPage)
        if pages[page].isEmpty { pages[page] = Page(repeating: nil, count: Int(Self.pageSize)) }
        let index = Int(id.value % Self.pageSize)
        if pages[page][index] == nil { count += 1 }
        pages[page][index] = row
    }

    private mutating func makeRoom(for page: UInt64) {
        if pages.isEmpty { firstPage = page }
        if page < firstPage {
            pages.insert(contentsOf: repeatElement(Page(), count: Int(firstPage - page)), at: 0)
            firstPage = page
        }
        while page - firstPage >= UInt64(pages.count) { pages.append(Page()) }
    }

    /// Changes a row in place; nil when there is none.
    public mutating func update<Result>(_ id: ID, _ body: (inout Row) -> Result) -> Result? {
        guard let slot = slot(of: id), pages[slot.page][slot.row] != nil else { return nil }
        return body(&pages[slot.page][slot.row]!)
    }

    @discardableResult
    public mutating func remove(_ id: ID) -> Row? {
        guard let slot = slot(of: id), let row = pages[slot.page][slot.row] else { return nil }
        pages[slot.page][slot.row] = nil
        count -= 1
        if pages[slot.page].allSatisfy({ $0 == nil }) { pages[slot.page] = Page() }
        let leading = pages.prefix { $0.isEmpty }.count
        if leading > 16 {
            pages.removeFirst(leading)
            firstPage += UInt64(leading)
        }
        return row
    }

    /// Rows in identifier order.
    public func forEach(_ body: (ID, borrowing Row) -> Void) {
        for (pageIndex, page) in pages.enumerated() {
            for (rowIndex, row) in page.enumerated() {
                if let row { body(ID((firstPage + UInt64(pageIndex)) * Self.pageSize + UInt64(rowIndex)), row) }
            }
        }
    }

    /// Identifiers in order.
    public var ids: [ID] {
        var list: [ID] = []
        list.reserveCapacity(count)
        forEach { id, _ in list.append(id) }
        return list
    }
}
