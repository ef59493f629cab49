import { peakMemoryBytes } from '../memory.ts'

/** Memory of a process in bytes, without what our own records of samples take. */
export interface MemoryUse {
  readonly rssBytes: number
  /** Highest so far. */
  readonly peakRssBytes: number
}

/** Watches the memory of this process over a measurement that records samples. */
export class MemoryWatch {
  readonly #before = peakMemoryBytes()

  /** @param recordedBytes memory of the samples that were recorded since the watch was made */
  read(recordedBytes: number): MemoryUse {
    const peak = Math.max(this.#before, peakMemoryBytes() - recordedBytes)
    // What was freed meanwhile may make the difference smaller than what the process had before.
    return { rssBytes: Math.max(0, process.memoryUsage.rss() - recordedBytes), peakRssBytes: peak }
  }
}
