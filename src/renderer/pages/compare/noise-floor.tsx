import type { Comparison } from '../../../contract/measurement.ts'
import { VerdictChip } from '../../components/verdict-chip.tsx'
import { plainText } from '../../format/plain-text.ts'
import { formatRatio } from '../../format/shares.ts'
import { NoiseChip } from '../benchmarks/noise-chip.tsx'
import classes from './comparison-view.module.css'

/** How quiet the machine was, and what the baseline measured against itself came to. */
export function NoiseFloor({ comparison: { noiseFloor, rows, baseline } }: { comparison: Comparison }) {
  const worst = rows.find(({ noise }) => noise.label === 'throttled') ?? rows.find(({ noise }) => noise.label === 'noisy')
  const noise = worst?.noise ?? rows[0]?.noise
  if (!noiseFloor && (!noise || noise.label === 'unknown')) return null
  return (
    <p className={classes.floor} data-testid="noise-floor">
      {noise ? <NoiseChip noise={noise} /> : null}
      {noiseFloor ? (
        <>
          <span>
            Noise floor: {plainText(baseline, 60)} against itself {formatRatio(noiseFloor.estimate)}{' '}
            <span className="es-dim">
              [{formatRatio(noiseFloor.ci95[0])}, {formatRatio(noiseFloor.ci95[1])}]
            </span>
          </span>
          <VerdictChip verdict={noiseFloor.verdict} />
        </>
      ) : (
        <span className="es-dim">The noise floor was not measured; tick “Control” to measure the baseline against itself.</span>
      )}
    </p>
  )
}
