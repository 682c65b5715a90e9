/** A binary heap: `pop` gives the item that comes first. */
export class Heap<Item> {
  readonly #items: Item[] = []

  constructor(private readonly comesFirst: (a: Item, b: Item) => boolean) {}

  push(item: Item): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.comesFirst(item, items[parent])) break
      items[at] = items[parent]
      at = parent
    }
    items[at] = item
  }

  pop(): Item | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return last
    let at = 0
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && this.comesFirst(items[child + 1], items[child])) child++
      if (!this.comesFirst(items[child], last)) break
      items[at] = items[child]
      at = child
    }
    items[at] = last
    return first
  }
}
