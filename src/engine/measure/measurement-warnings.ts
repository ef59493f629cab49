import { minimumSamples } from '../../core/statistics/percentile-interval.ts'

/** Others may use this share of the processors on a machine that is called calm (90 % idle). */
export const CALM_SHARE = 0.1
const noisyText = /^Noisy: other programs used (\d+) % /

/**
 * Says that other programs used the processors.
 * @param others share of all processors, 0 to 1; `undefined` where it cannot be read
 */
export function busyWarning(others: number | undefined, when: string): string[] {
  if (others === undefined || others <= CALM_SHARE) return []
  return [`Noisy: other programs used ${Math.round(others * 100)} % of the processors ${when} (a calm machine stays below 10 %).`]
}

/** Says that latencies had not settled when measuring began. */
export function unsteadyWarning(steady: boolean | null): string[] {
  if (steady !== false) return []
  return ['Latencies had not settled when measuring began: medians of half a second still differed by more than 3 %.']
}

/** Says which percentiles cannot be given for so few runs. p99.9 is left out: who runs a thousand times does not expect it. */
export function fewSamplesWarning(samples: number): string[] {
  const missing = [90, 95, 99].filter((percent) => samples < minimumSamples(percent))
  if (missing.length === 0) return []
  const needs = missing.map((percent) => `p${percent} (needs ${minimumSamples(percent)})`).join(', ')
  return [`${samples} runs are too few for ${needs}.`]
}

/**
 * What was said of the noise of several blocks, as of the whole: other programs once, with their largest share and the number of blocks
 * they hit, everything else once.
 *
 * @param blocks the sentences of each block
 */
export function pooledReasons(blocks: readonly (readonly string[])[]): string[] {
  const others = new Set<string>()
  let noisyBlocks = 0
  let largest = 0
  for (const sentences of blocks) {
    let noisy = false
    for (const sentence of sentences) {
      const share = noisyText.exec(sentence)?.[1]
      if (share === undefined) others.add(sentence)
      else {
        noisy = true
        largest = Math.max(largest, Number(share))
      }
    }
    if (noisy) noisyBlocks++
  }
  const noise = `Noisy: other programs used up to ${largest} % of the processors in ${noisyBlocks} of ${blocks.length} blocks (a calm machine stays below 10 %).`
  return [...(noisyBlocks > 0 ? [noise] : []), ...others]
}

/**
 * Warnings of several blocks of one measurement as those of the whole ({@link pooledReasons}); too few runs is asked again for all runs
 * together.
 *
 * @param blocks samples and warnings of each block
 */
export function pooledWarnings(blocks: readonly { readonly samples: number; readonly warnings: readonly string[] }[]): string[] {
  const sentences = blocks.map(({ samples, warnings }) => {
    const ofBlock = new Set(fewSamplesWarning(samples))
    return warnings.filter((warning) => !ofBlock.has(warning))
  })
  return [...pooledReasons(sentences), ...fewSamplesWarning(blocks.reduce((sum, block) => sum + block.samples, 0))]
}
