import type { ReleaseFailure } from '../../../../contract/routing.ts'
import type { LiveVersion, ServiceReport } from '../../../../contract/service-protocol.ts'
import { formatCount, formatCounted } from '../../../format/numbers.ts'
import { formatRoughPercent } from '../../../format/shares.ts'

type Role = ServiceReport['versions'][number]['role']

/** A version of a service: what lies on the machine, with what it measures where it is loaded. */
export interface VersionRow {
  readonly release: string
  readonly modelName: string
  readonly role: Role
  /** Of one beside the current one. */
  readonly kind: LiveVersion['kind']
  /** Percent of requests. */
  readonly weight: number
  /** When it was brought; null for one the report does not know yet. */
  readonly createdAt: string | null
  readonly failure: ReleaseFailure | null
  /** Null where it is not loaded, or the service does not run. */
  readonly live: LiveVersion | null
}

const order: Readonly<Record<Role, number>> = { current: 0, beside: 1, previous: 2, kept: 3, failed: 4 }

/**
 * Versions of a service, those that serve first, then by age. The serving process knows roles and weights best, because they change by
 * themselves; the report knows what lies there unloaded.
 */
export function versionRows(report: Pick<ServiceReport, 'versions'> | undefined, live: readonly LiveVersion[]): VersionRow[] {
  const loaded = new Map(live.map((version) => [version.release, version]))
  const rows = (report?.versions ?? []).map((stored): VersionRow => {
    const version = loaded.get(stored.release) ?? null
    // A report from before the last switch: where something is loaded, a stale role would name two versions current.
    const role = version?.role ?? (live.length > 0 && stored.role !== 'failed' ? 'kept' : stored.role)
    return {
      release: stored.release,
      modelName: stored.modelName,
      role,
      kind: version?.kind ?? null,
      weight: version?.weight ?? stored.weight,
      createdAt: stored.createdAt,
      failure: stored.failure,
      live: version,
    }
  })
  const known = new Set(rows.map(({ release }) => release))
  const unknown = live
    .filter(({ release }) => !known.has(release))
    .map(
      (version): VersionRow => ({
        release: version.release,
        modelName: version.modelName,
        role: version.role,
        kind: version.kind,
        weight: version.weight,
        createdAt: null,
        failure: null,
        live: version,
      }),
    )
  return [...rows, ...unknown].sort((a, b) => order[a.role] - order[b.role] || (b.createdAt ?? '').localeCompare(a.createdAt ?? ''))
}

/** Roles and kinds in words: what a version does. */
export function roleText({ role, kind }: Pick<VersionRow, 'role' | 'kind'>): string {
  if (role === 'beside') return kind ?? 'beside'
  return role
}

/** Releases are named by the first digits of their id; what is beside is unlikely to share eight. */
export function shortRelease(release: string): string {
  return release.slice(0, 8)
}

/** Share of compared samples that were answered differently; null where nothing was compared. */
export function divergence(live: Pick<LiveVersion, 'compared' | 'differing'> | null): number | null {
  return live?.compared && live.differing !== null ? live.differing / live.compared : null
}

/** What a version that is being tried did so far, in words. */
export function foundText({ live }: Pick<VersionRow, 'live'>): string {
  if (!live || live.requests === 0) return 'It has answered no request yet.'
  const parts = [`${formatCounted(live.requests, 'request')} answered`, `${formatCount(live.errors)} failed`]
  const share = divergence(live)
  if (share !== null) {
    parts.push(`${formatCount(live.differing)} of ${formatCount(live.compared)} compared answers differ (${formatRoughPercent(share)})`)
  }
  if (live.dropped) parts.push(`${formatCount(live.dropped)} copies left out because its queue was full`)
  return `${parts.join(', ')}.`
}

/** `90 / 10`: how requests are divided, the current version first; null where one serves all of them. */
export function weightSummary(versions: readonly Pick<LiveVersion, 'role' | 'kind' | 'weight'>[]): string | null {
  const current = versions.find(({ role }) => role === 'current')
  const beside = versions.filter(({ role }) => role === 'beside')
  if (!current || beside.length === 0) return null
  const weights = [current, ...beside.filter(({ kind }) => kind !== 'shadow')].map(({ weight }) => String(Number(weight.toFixed(1))))
  const shadows = beside.length - (weights.length - 1)
  const shared = weights.length > 1 ? weights.join(' / ') : null
  return [shared, shadows > 0 ? '+ shadow' : null].filter(Boolean).join(' ')
}

/** What a roll-back would do; null where there is nothing to go back to. */
export function rollbackOf(rows: readonly VersionRow[], watched: boolean): { readonly trying: boolean; readonly text: string } | null {
  const beside = rows.filter(({ role }) => role === 'beside')
  const current = rows.find(({ role }) => role === 'current')
  const previous = rows.find(({ role }) => role === 'previous')
  // As the serving process decides it: what is watched is being tried, too.
  if (beside.length > 0 && !(watched && previous)) {
    return { trying: true, text: `Takes away what is being tried; ${named(current)} goes on serving.` }
  }
  if (!previous) return null
  const also = beside.length > 0 ? ' What is being tried beside it is taken away, too.' : ''
  return { trying: watched, text: `${named(previous)} serves again, ${named(current)} becomes the previous version.${also}` }
}

function named(row: VersionRow | undefined): string {
  return row ? `${row.modelName} (${shortRelease(row.release)})` : 'the current version'
}
