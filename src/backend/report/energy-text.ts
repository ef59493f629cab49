import type { Energy } from '../../contract/telemetry.ts'
import { formatSignificant, NOTHING } from './quantities.ts'

/** Energy of one inference: `3.21 mJ, 1.02 mJ of it above idle`; `not measurable`; nothing where it was not asked for. */
export function energyText(energy: Energy | null): string {
  if (!energy) return NOTHING
  if (!energy.measurable) return 'not measurable'
  const estimated = energy.estimated ? ' (estimated)' : ''
  return `${formatSignificant(energy.grossMj)} mJ, ${formatSignificant(energy.netMj)} mJ of it above idle${estimated}`
}

/** The same with where it comes from, for a list of facts. */
export function energyFacts(energy: Energy | null): (readonly [string, string])[] {
  if (!energy) return []
  if (!energy.measurable) return [['energy of one inference', `not measurable: ${energy.reason}`]]
  const { meanW, idleW, readings, source } = energy
  return [
    ['energy of one inference', energyText(energy)],
    ['power', `${formatSignificant(meanW)} W on average, ${formatSignificant(idleW)} W before; ${readings} readings of ${source}`],
  ]
}
