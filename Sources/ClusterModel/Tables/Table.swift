/// Rows by counted identifier, iterated in identifier order.
///
/// Paged: a change touches one page of 64 rows, so a table shared with nobody is changed in place and a table that is
/// shared by mistake costs one page, not all rows. Pages before the oldest row are given back. Inlinable, so that other
/// modules use it specialised: unspecialised, a look-up costs ten times as much.
///
/// Pages lie in runs. There is one, as long as identifiers are issued one after the other; where they go on far beyond the
/// last, as after a restore, another begins, and what lies between costs nothing.
public struct Table<ID: CountedIdentifier, Row: Sendable>: Sendable {
    @usableFromInline typealias Page = ContiguousArray<Row?>
    @usableFromInline static var pageSize: UInt64 { 64 }
    /// Longest row of empty pages within a run.
    @usableFromInline static var gapMax: UInt64 { 1 << 14 }

    @usableFromInline struct Run: Sendable {
        /// Page number of `pages[0]`.
        @usableFromInline var first: UInt64
        @usableFromInline var pages: ContiguousArray<Page>

        @inlinable init(first: UInt64) {
            self.first = first
            pages = [Page()]
        }
    }

    /// Ascending, none empty.
    @usableFromInline var runs: ContiguousArray<Run> = []
    @usableFromInline var rowCount = 0
    @inlinable public var count: Int { rowCount }

    @inlinable public init() {}

    @inlinable public var isEmpty: Bool { count == 0 }

    /// The last run that begins at `page` or before; -1 when there is none.
    @inlinable func run(at page: UInt64) -> Int {
        if let last = runs.last, last.first <= page { return runs.count - 1 }
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].first <= page { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    @inlinable func slot(of id: ID) -> (run: Int, page: Int, row: Int)? {
        let page = id.value / Self.pageSize
        let run = run(at: page)
        guard run >= 0, page - runs[run].first < UInt64(runs[run].pages.count) else { return nil }
        let index = Int(page - runs[run].first)
        guard !runs[run].pages[index].isEmpty else { return nil }
        return (run, index, Int(id.value % Self.pageSize))
    }

    @inlinable public subscript(id: ID) -> Row? {
        guard let slot = slot(of: id) else { return nil }
        return runs[slot.run].pages[slot.page][slot.row]
    }

    /// Whether there is a row, without taking it out to be looked at.
    @inlinable public func contains(_ id: ID) -> Bool {
        guard let slot = slot(of: id) else { return false }
        return runs[slot.run].pages[slot.page][slot.row] != nil
    }

    /// Inserts or replaces.
    @inlinable public mutating func set(_ row: Row, for id: ID) {
        let run = makeRoom(for: id.value / Self.pageSize)
        let page = Int(id.value / Self.pageSize - runs[run].first)
        if runs[run].pages[page].isEmpty { runs[run].pages[page] = Page(repeating: nil, count: Int(Self.pageSize)) }
        let index = Int(id.value % Self.pageSize)
        if runs[run].pages[page][index] == nil { rowCount += 1 }
        runs[run].pages[page][index] = row
    }

    /// The run that has the page now. None reaches the one after it: that begins beyond the page.
    @inlinable mutating func makeRoom(for page: UInt64) -> Int {
        let run = run(at: page)
        if run >= 0, page - runs[run].first < UInt64(runs[run].pages.count) + Self.gapMax {
            while page - runs[run].first >= UInt64(runs[run].pages.count) { runs[run].pages.append(Page()) }
            return run
        }
        let next = run + 1
        if next < runs.count, runs[next].first - page <= Self.gapMax {
            runs[next].pages.insert(contentsOf: repeatElement(Page(), count: Int(runs[next].first - page)), at: 0)
            runs[next].first = page
        } else {
            runs.insert(Run(first: page), at: next)
        }
        return next
    }

    /// Changes a row in place; nil when there is none.
    @inlinable public mutating func update<Result>(_ id: ID, _ body: (inout Row) -> Result) -> Result? {
        guard let slot = slot(of: id), runs[slot.run].pages[slot.page][slot.row] != nil else { return nil }
        return body(&runs[slot.run].pages[slot.page][slot.row]!)
    }

    @inlinable @discardableResult public mutating func remove(_ id: ID) -> Row? {
        guard let slot = slot(of: id), let row = runs[slot.run].pages[slot.page][slot.row] else { return nil }
        runs[slot.run].pages[slot.page][slot.row] = nil
        rowCount -= 1
        if runs[slot.run].pages[slot.page].allSatisfy({ $0 == nil }) { runs[slot.run].pages[slot.page] = Page() }
        let leading = runs[slot.run].pages.prefix { $0.isEmpty }.count
        if leading == runs[slot.run].pages.count, leading > 16 || runs.count > 1 {
            runs.remove(at: slot.run)
        } else if leading > 16 {
            runs[slot.run].pages.removeFirst(leading)
            runs[slot.run].first += UInt64(leading)
        }
        return row
    }

    /// Rows in identifier order.
    @inlinable public func forEach(_ body: (ID, borrowing Row) -> Void) {
        for run in runs {
            for (pageIndex, page) in run.pages.enumerated() {
                for (rowIndex, row) in page.enumerated() {
                    if let row { body(ID((run.first + UInt64(pageIndex)) * Self.pageSize + UInt64(rowIndex)), row) }
                }
            }
        }
    }

    /// Rows from `first` on that lie on the next `count` pages: one piece of a look at all of them.
    ///
    /// - Returns: where the next piece begins; nil after the last.
    @inlinable public func forEach(from first: ID, pages count: Int, _ body: (ID, borrowing Row) -> Void) -> ID? {
        var left = count
        for run in runs {
            let page = max(first.value / Self.pageSize, run.first)
            guard page - run.first < UInt64(run.pages.count) else { continue }
            for index in Int(page - run.first)..<run.pages.count {
                let base = (run.first + UInt64(index)) * Self.pageSize
                if left == 0 { return ID(base) }
                left -= 1
                for (rowIndex, row) in run.pages[index].enumerated() {
                    if let row, base + UInt64(rowIndex) >= first.value { body(ID(base + UInt64(rowIndex)), row) }
                }
            }
        }
        return nil
    }

    /// Pages that take memory, for the test that bounds them.
    public var pageCount: Int { runs.reduce(0) { $0 + $1.pages.count } }

    /// Identifiers in order.
    @inlinable public var ids: [ID] {
        var list: [ID] = []
        list.reserveCapacity(count)
        for run in runs {
            for (index, page) in run.pages.enumerated() {
                let base = (run.first + UInt64(index)) * Self.pageSize
                // Asked of the place: a row taken out to be looked at is a row copied.
                for row in page.indices where page[row] != nil { list.append(ID(base + UInt64(row))) }
            }
        }
        return list
    }
}
