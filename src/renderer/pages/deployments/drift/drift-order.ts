import type { ServiceLive } from '../../../../contract/service-protocol.ts'

type Drift = NonNullable<ServiceLive['drift']>
/** A feature as the service last judged it. */
export type DriftFeature = Drift['features'][number]

const severity: Readonly<Record<'severe' | 'drifted' | 'none', number>> = { severe: 2, drifted: 1, none: 0 }

/** Features, the worst first: by level, then by how near their PSI is to its limit, then by distance. */
export function worstFirst(features: readonly DriftFeature[]): DriftFeature[] {
  const level = (feature: DriftFeature) => (feature.level === null ? -1 : severity[feature.level])
  const share = ({ psi, psiLimit }: DriftFeature) => (psi === null || psiLimit === null || psiLimit <= 0 ? 0 : psi / psiLimit)
  return [...features].sort((a, b) => level(b) - level(a) || share(b) - share(a) || (b.distance ?? 0) - (a.distance ?? 0))
}

/** The worst level of a service's features, in a word for a list; null where nothing is watched. */
export function driftLevel(drift: ServiceLive['drift']): 'collecting' | 'none' | 'drifted' | 'severe' | null {
  if (!drift) return null
  const levels = drift.features.map(({ level }) => level).filter((level) => level !== null)
  if (levels.length === 0) return 'collecting'
  return levels.includes('severe') ? 'severe' : levels.includes('drifted') ? 'drifted' : 'none'
}
