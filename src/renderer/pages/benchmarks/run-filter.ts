import type { Benchmark } from '../../../contract/measurement.ts'
import { scenarioLabel } from './scenario-guide.ts'

/** Which runs of the board are shown. */
export type RunOrigin = 'all' | 'own' | 'comparison'

/** Every word of a filter has to be part of what the row says; upper and lower case are the same. */
export function matchesWords(text: string, filter: string): boolean {
  const shown = text.toLowerCase()
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => shown.includes(word))
}

/** What a filter looks into: names, scenario, settings, noise. */
export function runText({ settings, noise, warnings }: Benchmark, model: string, device: string): string {
  const parts = [model, device, scenarioLabel(settings), `${settings.batch}×${settings.threads}`, noise.label]
  return [...parts, ...(warnings.length > 0 ? ['warnings'] : [])].join(' ')
}

/** Whether a run was measured on its own or as a part of a comparison. */
export function hasOrigin({ comparisonId }: Benchmark, origin: RunOrigin): boolean {
  return origin === 'all' || (comparisonId === null) === (origin === 'own')
}
