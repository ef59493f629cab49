import type { DatasetSource } from '../../contract/dataset.ts'
import type { EngineResult } from '../../contract/engine-protocol.ts'
import type { JobReporter } from '../../contract/job.ts'
import { findPairs, type SampleHashes } from '../../core/datasets/equal-samples.ts'
import { sampleHashes } from './sample-hashes.ts'

/** Pairs that a person may look at, for each two datasets. */
const EXAMPLES = 50

/** Equal and look-alike samples within each dataset and between each two. @throws EdgesmithError or CoreError those of reading the datasets */
export async function findDuplicates(sources: readonly DatasetSource[], reporter: JobReporter): Promise<EngineResult<'find-duplicates'>> {
  const hashes: SampleHashes[] = []
  for (const source of sources) hashes.push(await sampleHashes(source, reporter))
  return hashes.flatMap((a, indexOfA) =>
    hashes.slice(indexOfA).map((b, offset) => {
      const { equal, similar, examples } = findPairs(a, b, EXAMPLES)
      return { a: indexOfA, b: indexOfA + offset, count: equal, similar, examples: [...examples] }
    }),
  )
}
