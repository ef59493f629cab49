import type { SensitivityReport } from '../../../contract/recipe.ts'

/**
 * How long a unit's bar is: the accuracy that is lost when it alone is quantized, or the amplitude of the noise it makes at the outputs
 * (10^(−SQNR/20), so that 6 dB less noise is half the bar). Nothing lost is 0.
 */
export function damageOf({ accuracy, sqnrDb }: SensitivityReport['units'][number], report: SensitivityReport): number {
  if (report.metric === 'accuracy' && report.baseline !== null) return accuracy === null ? 0 : Math.max(0, report.baseline - accuracy)
  return sqnrDb === null ? 0 : 10 ** (-sqnrDb / 20)
}
