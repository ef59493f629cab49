import type { NamedTensors } from '../../core/inference-runtime.ts'
import { median } from '../../core/statistics/percentiles.ts'
import { openPreparedModel } from '../runtimes/prepared-model.ts'

/** Blocks of each model, in turn A B, B A …: a machine that slows down slows both. */
const BLOCKS = 5
/** Time of a block, in which the first run is not counted. Long enough for several runs of a small model, short enough for a search. */
const BLOCK_MS = 60
const FEWEST_RUNS = 3

/** Milliseconds of one inference with one thread: the median over all runs. @throws the runtime's errors */
export async function interleavedLatency(
  beforeModel: Uint8Array,
  afterModel: Uint8Array,
  feed: NamedTensors,
): Promise<{ readonly before: number; readonly after: number }> {
  const before = await openPreparedModel(beforeModel, 1)
  try {
    const after = await openPreparedModel(afterModel, 1)
    try {
      const sides = [
        { run: before.prepare(feed), times: [] as number[] },
        { run: after.prepare(feed), times: [] as number[] },
      ] as const
      for (let block = 0; block < BLOCKS; block++)
        for (const { run, times } of block % 2 === 0 ? sides : [...sides].reverse()) await timedBlock(run, times)
      return { before: median(Float32Array.from(sides[0].times)), after: median(Float32Array.from(sides[1].times)) }
    } finally {
      await after.close()
    }
  } finally {
    await before.close()
  }
}

async function timedBlock(run: () => Promise<unknown>, times: number[]): Promise<void> {
  await run()
  const start = performance.now()
  for (let runs = 0; runs < FEWEST_RUNS || performance.now() - start < BLOCK_MS; runs++) {
    const begin = performance.now()
    await run()
    times.push(performance.now() - begin)
  }
}
