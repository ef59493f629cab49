import { chooseRelease, type WeightedRelease } from '../../../core/rollout/sticky-choice.ts'
import type { RequestContext } from '../exchange.ts'
import { HttpError } from '../http-error.ts'
import type { ServiceStatistics } from '../service-statistics.ts'
import type { ServedConfig, ServedVersion } from './served-version.ts'

/** A loaded version beside the current one. */
export interface BesideVersion {
  readonly version: ServedVersion
  readonly kind: 'split' | 'canary' | 'shadow'
  /** Percent of the requests. */
  readonly weight: number
}

/** Longest text that decides to which version a request goes. */
const KEY_CHARACTERS = 256

/** The versions that answer, and who gets which request. Changes take effect between two requests. */
export class VersionSet {
  readonly #statistics: ServiceStatistics
  readonly #initial: ServedConfig
  readonly #onChange: () => void
  #current: ServedVersion | null = null
  #beside: readonly BesideVersion[] = []
  /** Null where the current version gets everything. */
  #shares: readonly WeightedRelease[] | null = null
  #byId: ReadonlyMap<string, ServedVersion> = new Map()
  #shadows: readonly ServedVersion[] = []
  #before: ServedVersion | null = null

  /**
   * @param initial what is going to be served, for those who ask before it is loaded
   * @param onChange called after every change
   */
  constructor(statistics: ServiceStatistics, initial: ServedConfig, onChange: () => void = () => {}) {
    this.#statistics = statistics
    this.#initial = initial
    this.#onChange = onChange
  }

  get current(): ServedVersion | null {
    return this.#current
  }

  /** Of the current version. */
  get config(): ServedConfig {
    return this.#current?.config ?? this.#initial
  }

  get beside(): readonly BesideVersion[] {
    return this.#beside
  }

  /** Versions that get copies of requests. */
  get shadows(): readonly ServedVersion[] {
    return this.#shadows
  }

  /** Served before the current one, and gets copies of what that answers, to compare both; null where nobody wants to know. */
  get before(): ServedVersion | null {
    return this.#before
  }

  /** Those that answer requests, the current one first. */
  get answering(): readonly ServedVersion[] {
    const split = this.#beside.flatMap(({ version, kind }) => (kind === 'shadow' ? [] : [version]))
    return this.#current ? [this.#current, ...split] : split
  }

  /** From the next request on these answer. */
  route(current: ServedVersion, beside: readonly BesideVersion[], before: ServedVersion | null = null): void {
    const split = beside.filter(({ kind }) => kind !== 'shadow')
    const taken = split.reduce((sum, { weight }) => sum + weight, 0)
    this.#current = current
    this.#beside = beside
    this.#before = before
    this.#shadows = beside.flatMap(({ version, kind }) => (kind === 'shadow' ? [version] : []))
    this.#shares =
      taken > 0
        ? [
            { release: current.id, weight: Math.max(0, 100 - taken) },
            ...split.map(({ version, weight }) => ({ release: version.id, weight })),
          ]
        : null
    this.#byId = new Map(this.answering.map((version) => [version.id, version]))
    this.#statistics.metrics = current.statistics.metrics
    this.#onChange()
  }

  /**
   * The version that answers a request: always the same for a session (`x-session-id`), otherwise for a client with a key of its own, otherwise any.
   * @throws HttpError `NOT_READY`
   */
  choose(context: RequestContext): ServedVersion {
    const current = this.#current
    if (!current) throw notReady()
    const chosen = this.#shares === null ? current : (this.#byId.get(chooseRelease(keyOf(context), this.#shares)) ?? current)
    context.version = chosen
    return chosen
  }
}

/** @throws HttpError `NOT_READY` */
export function requireCurrent({ current }: VersionSet): ServedVersion {
  if (current) return current
  throw notReady()
}

function notReady(): HttpError {
  return new HttpError('NOT_READY', 'The model is not loaded yet.', { headers: { 'retry-after': '1' } })
}

function keyOf(context: RequestContext): string {
  const session = context.header('x-session-id')
  if (session) return `session ${session.slice(0, KEY_CHARACTERS)}`
  const { clientName } = context
  return clientName !== null && !context.isOwner ? `client ${clientName}` : context.requestId
}
