import type { BenchSettings, Noise } from '../../../contract/measurement.ts'
import { chip, type Inline } from '../blocks/report-block.ts'
import { formatCount, formatCounted } from '../quantities.ts'

/** Length of a measurement in words. */
export function lengthText({ seconds, runs }: BenchSettings): string {
  return seconds === undefined ? formatCounted(runs, 'run') : `${seconds} s`
}

/** What was asked of the model, in a few words: `single`, `batch of 8, TensorRT`, `server, 50 requests a second`. */
export function scenarioText(settings: BenchSettings): string {
  return `${askedText(settings)}${settings.runtime === 'tensorrt' ? ', TensorRT' : ''}`
}

function askedText({ scenario, batch, rate, streams, connections }: BenchSettings): string {
  switch (scenario) {
    case 'single':
      return batch === 1 ? 'single' : `single, batch of ${formatCount(batch)}`
    case 'batch':
      return `batch of ${formatCount(batch)}`
    case 'offline':
      return `offline, batch of ${formatCount(batch)}, ${formatCounted(streams, 'stream')}`
    case 'server':
      return `server, ${rate === undefined ? 'Poisson arrivals' : `${formatCount(rate)} requests a second`}`
    case 'http':
      return `HTTP, ${rate === undefined ? formatCounted(connections, 'connection') : `${formatCount(rate)} requests a second`}`
  }
}

/** Warnings of a run and the reasons of its noise, each once: most reasons are among the warnings too. */
export function warningsOf({ warnings, noise }: { readonly warnings: readonly string[]; readonly noise: Noise }): string[] {
  const known = warnings.map((warning) => warning.toLowerCase())
  const reasons = noise.reasons.filter((reason) => !known.some((warning) => warning.includes(reason.toLowerCase())))
  return [...new Set([...reasons, ...warnings])]
}

/** How quiet the machine was. */
export function noiseChip({ label }: Noise): Inline {
  return chip(label, label === 'quiet' ? 'good' : label === 'unknown' ? 'neutral' : 'bad')
}
