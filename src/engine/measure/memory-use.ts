/** Memory of a process in bytes, without what our own records of samples take. */
export interface MemoryUse {
  readonly rssBytes: number
  /** Highest so far. */
  readonly peakRssBytes: number
}

/** Highest resident memory of this process so far. Node.js gives kilobytes on every platform. */
function highWaterBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

/** Watches the memory of this process over a measurement that records samples. */
export class MemoryWatch {
  readonly #before = highWaterBytes()

  /** @param recordedBytes memory of the samples that were recorded since the watch was made */
  read(recordedBytes: number): MemoryUse {
    const peak = Math.max(this.#before, highWaterBytes() - recordedBytes)
    // What was freed meanwhile may make the difference smaller than what the process had before.
    return { rssBytes: Math.max(0, process.memoryUsage.rss() - recordedBytes), peakRssBytes: peak }
  }
}
