import type { RolloutLimits } from './rollout-verdict.ts'

// The shape of `routingSchema` of the contract, which says what the fields mean.

export interface BesideRelease {
  readonly release: string
  readonly kind: 'split' | 'canary' | 'shadow'
  readonly weight: number
  readonly since: string
  readonly steps?: number[] | undefined
  readonly stepSeconds?: number | undefined
  readonly step?: number | undefined
  readonly watchSeconds?: number | undefined
  readonly bootId?: string | undefined
  readonly limits: RolloutLimits
}

export interface RoutingWatch {
  readonly since: string
  readonly seconds: number
  readonly limits: RolloutLimits
  readonly bootId: string
}

export interface Routing {
  readonly version: 1
  readonly current: string
  readonly previous: string | null
  readonly beside: BesideRelease[]
  readonly watch: RoutingWatch | null
}

/** How a release takes its place. */
export interface Rollout {
  readonly kind: 'switch' | 'split' | 'canary' | 'shadow'
  readonly weight: number
  readonly steps: readonly number[]
  readonly stepSeconds: number
  readonly watchSeconds: number
  readonly limits: RolloutLimits
}

/** When and in which boot of the machine something is changed. */
export interface Moment {
  /** ISO 8601. */
  readonly at: string
  readonly bootId: string
}

/** A release among those beside the current one. */
export function besideOf({ beside }: Routing, release: string): BesideRelease | undefined {
  return beside.find((one) => one.release === release)
}

/** Percent of requests that the current release gets. */
export function currentWeight({ beside }: Routing): number {
  return Math.max(0, 100 - beside.reduce((sum, { weight }) => sum + weight, 0))
}
