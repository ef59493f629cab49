/**
 * Which lanes of a drawing are taken down to which layer. A segment tree over lanes keeps the smallest "taken until" of each range, so
 * that the first free lane from a place on is found in logarithmic time, however many stand beside each other.
 */
export class FreeLanes {
  private readonly size: number
  /** Layer until which (inclusive) a lane is taken; inner nodes: smallest below. */
  private readonly takenUntil: Int32Array

  /** @param lanes one for each node is always enough: a node takes one lane */
  constructor(lanes: number) {
    this.size = 1
    while (this.size < lanes + 1) this.size *= 2
    this.takenUntil = new Int32Array(2 * this.size).fill(-1)
  }

  isFree(lane: number, layer: number): boolean {
    return this.takenUntil[this.size + lane]! < layer
  }

  /** Takes the first lane from `from` on that is free in `layer`, down to `until`; from 0 on where all to the right are taken. */
  take(from: number, layer: number, until: number): number {
    const found = this.firstFree(from, layer)
    const lane = found < 0 ? this.firstFree(0, layer) : found
    let place = this.size + lane
    this.takenUntil[place] = until
    for (place >>= 1; place >= 1; place >>= 1) {
      this.takenUntil[place] = Math.min(this.takenUntil[2 * place]!, this.takenUntil[2 * place + 1]!)
    }
    return lane
  }

  private firstFree(from: number, layer: number): number {
    let place = this.size + from
    if (this.takenUntil[place]! < layer) return from
    // Up until a right neighbour holds a free lane, then down to the leftmost.
    for (;;) {
      if (place === 1) return -1
      if (place % 2 === 0 && this.takenUntil[place + 1]! < layer) {
        place++
        break
      }
      place >>= 1
    }
    while (place < this.size) {
      place *= 2
      if (this.takenUntil[place]! >= layer) place++
    }
    return place - this.size
  }
}
