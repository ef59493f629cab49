import type { MetricFamily } from '../serve/metrics/metric-text.ts'
import type { DriftState } from './drift-monitor.ts'

/** Body of `GET /drift`. */
export interface DriftReport {
  readonly status: 'collecting' | 'none' | 'drifted' | 'severe'
  /** Some feature drifted in two windows in a row. */
  readonly triggered: boolean
  readonly reference_rows: number
  readonly window_rows: number
  /** Rows of the window that is being filled. */
  readonly filled_rows: number
  readonly judged_windows: number
  /** What the features' numbers are from; null before the first window was full. */
  readonly window: { readonly rows: number; readonly from: string; readonly to: string } | null
  readonly features: readonly DriftReportFeature[]
}

interface DriftReportFeature {
  readonly name: string
  readonly kind: 'numeric' | 'categorical'
  readonly watches: 'input' | 'prediction'
  /** The rest is null before the first window was full. */
  readonly level: 'none' | 'drifted' | 'severe' | null
  readonly psi: number | null
  readonly psi_limit: number | null
  /** Kolmogorov-Smirnov's D; for categories the greatest change of a share. */
  readonly distance: number | null
  /** Corrected for the number of features. */
  readonly p_value: number | null
  readonly windows_in_a_row: number
}

const SEVERITIES = ['none', 'drifted', 'severe'] as const

/** What `GET /drift` answers. */
export function driftReport({ reference, windowRows, filledRows, judgedWindows, last, triggered }: DriftState): DriftReport {
  const features = reference.features.map(({ name, kind, source }, index): DriftReportFeature => {
    const verdict = last?.verdicts[index]
    return {
      name,
      kind,
      watches: source.kind === 'input' ? 'input' : 'prediction',
      level: verdict?.level ?? null,
      psi: verdict?.psi ?? null,
      psi_limit: verdict?.psiLimit ?? null,
      distance: verdict?.distance ?? null,
      p_value: verdict?.adjustedPValue ?? null,
      windows_in_a_row: last?.inARow[index] ?? 0,
    }
  })
  const worst = Math.max(...features.map(({ level }) => (level === null ? -1 : SEVERITIES.indexOf(level))))
  return {
    status: SEVERITIES[worst] ?? 'collecting',
    triggered: triggered.length > 0,
    reference_rows: reference.rows,
    window_rows: windowRows,
    filled_rows: filledRows,
    judged_windows: judgedWindows,
    window: last && { rows: last.rows, from: new Date(last.fromMs).toISOString(), to: new Date(last.toMs).toISOString() },
    features,
  }
}

/** The same for Prometheus. Features have no values before the first window was full. */
export function driftMetrics(
  { reference, judgedWindows, last, triggered }: DriftState,
  labels: Readonly<Record<string, string>>,
): MetricFamily[] {
  const each = (name: string, help: string, value: (index: number) => number): MetricFamily => ({
    name,
    help,
    type: 'gauge',
    samples: last
      ? reference.features.map((feature, index) => ({ labels: { ...labels, feature: feature.name }, value: value(index) }))
      : [],
  })
  const verdict = (index: number) => last?.verdicts[index]
  return [
    each(
      'edgesmith_drift_psi',
      'Population stability index of the last window against the reference.',
      (index) => verdict(index)?.psi ?? Number.NaN,
    ),
    each('edgesmith_drift_psi_limit', 'What the index must exceed to count as drift.', (index) => verdict(index)?.psiLimit ?? Number.NaN),
    each(
      'edgesmith_drift_distance',
      'Kolmogorov-Smirnov distance; for categories the greatest change of a share.',
      (index) => verdict(index)?.distance ?? Number.NaN,
    ),
    each(
      'edgesmith_drift_p_value',
      'P-value of that distance, corrected for the number of features.',
      (index) => verdict(index)?.adjustedPValue ?? Number.NaN,
    ),
    each('edgesmith_drift_level', '0 none, 1 drifted, 2 severe.', (index) => SEVERITIES.indexOf(verdict(index)?.level ?? 'none')),
    {
      name: 'edgesmith_drift_windows_total',
      help: 'Windows judged.',
      type: 'counter',
      samples: [{ labels, value: judgedWindows }],
    },
    {
      name: 'edgesmith_drift_triggered',
      help: '1 when a feature drifted in two windows in a row.',
      type: 'gauge',
      samples: [{ labels, value: Number(triggered.length > 0) }],
    },
  ]
}
