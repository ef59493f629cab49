import { wilsonInterval } from '../statistics/proportion.ts'
import { type P95Ratio, p95Ratio } from './p95-ratio.ts'

/** When a release that is being tried is taken back; fields as `rolloutLimitsSchema` of the contract describes them. */
export interface RolloutLimits {
  readonly maxErrorRate: number
  readonly maxP95Ratio: number | null
  readonly maxDivergence: number | null
  readonly minRequests: number
}

/** What a release did over some time. */
export interface ReleaseWindow {
  /** Prediction requests that were answered, in whatever way. */
  readonly requests: number
  /** Of those: failed through the server's fault. */
  readonly errors: number
  /** Of those: refused as the client's fault. */
  readonly refused: number
  /** Of successful ones, milliseconds; the newest where there were many. */
  readonly latenciesMs: Float32Array
}

/** Samples answered by both releases. */
export interface ComparedAnswers {
  readonly compared: number
  readonly differing: number
}

/** What is known about a release that is being tried. */
export interface RolloutVerdict {
  /** Limits that are broken beyond doubt (95 %): reasons to take it back at once. */
  readonly broken: readonly string[]
  /** Limits that are broken as far as one can see: reasons to take it back when it has to be decided. */
  readonly doubtful: readonly string[]
  /** What has to be seen before anything can be decided; null where there was enough. */
  readonly waitingFor: string | null
  /** What was found, in words. */
  readonly found: string
}

/**
 * Compares a release that is being tried with its limits and with the stable one over the same time (or the time before).
 *
 * Shares (errors, differing answers) are broken beyond doubt when the lower end of their 95 % Wilson interval is above the limit, and
 * doubtful when the share itself is. Latency counts only by its interval. A tried release may also not refuse what the stable one takes:
 * a share of refusals that lies above that of the stable one, intervals apart, by more than the allowed errors counts as errors.
 *
 * @param stable null where there is nothing to compare with: limits of its own are checked only
 */
export function judgeRollout(
  tried: ReleaseWindow,
  stable: ReleaseWindow | null,
  answers: ComparedAnswers,
  limits: RolloutLimits,
): RolloutVerdict {
  const { requests } = tried
  if (requests < limits.minRequests) {
    const waitingFor = `${limits.minRequests - requests} more of ${limits.minRequests} requests`
    return { broken: [], doubtful: [], waitingFor, found: `${requests} requests, ${tried.errors} failed` }
  }
  const findings = [
    judgeErrors(tried, limits),
    judgeRefusals(tried, stable, limits),
    judgeLatency(tried, stable, limits),
    judgeAnswers(answers, limits),
  ]
  const texts = (level: Finding['level']) => findings.filter((finding) => finding.level === level).map(({ text }) => text)
  const needsAnswers = limits.maxDivergence !== null && answers.compared < Math.min(limits.minRequests, MOST_COMPARED)
  return {
    broken: texts('broken'),
    doubtful: texts('doubtful'),
    waitingFor: needsAnswers ? `answers to compare, ${answers.compared} so far` : null,
    found: findings
      .map(({ text }) => text)
      .filter((text) => text !== '')
      .join('; '),
  }
}

/** So many compared samples are enough to decide, however many requests are asked for: comparing is done in spare time only. */
const MOST_COMPARED = 50

interface Finding {
  readonly level: 'fine' | 'doubtful' | 'broken'
  readonly text: string
}

function judgeErrors({ requests, errors }: ReleaseWindow, { maxErrorRate }: RolloutLimits): Finding {
  return shareFinding(errors, requests, maxErrorRate, `${errors} of ${requests} requests failed`)
}

function judgeRefusals({ requests, refused }: ReleaseWindow, stable: ReleaseWindow | null, { maxErrorRate }: RolloutLimits): Finding {
  if (refused === 0) return { level: 'fine', text: '' }
  const text = `${refused} of ${requests} requests were refused`
  const [lower] = wilsonInterval(refused, requests)
  const [, upper] = stable && stable.requests > 0 ? wilsonInterval(stable.refused, stable.requests) : [0, 0.5]
  const against = stable ? `${stable.refused} of ${stable.requests} by the other release` : 'more than half'
  return lower > upper + maxErrorRate ? { level: 'broken', text: `${text}, ${against}` } : { level: 'fine', text }
}

function judgeLatency(tried: ReleaseWindow, stable: ReleaseWindow | null, { maxP95Ratio }: RolloutLimits): Finding {
  if (maxP95Ratio === null) return { level: 'fine', text: '' }
  if (!stable) return { level: 'fine', text: 'latencies of the other release are not known' }
  const found = p95Ratio(tried.latenciesMs, stable.latenciesMs)
  if (!found) return { level: 'fine', text: 'too few answers to compare latencies' }
  return found.lower > maxP95Ratio
    ? { level: 'broken', text: `${ratioText(found)}, at most ${maxP95Ratio} is allowed` }
    : { level: 'fine', text: ratioText(found) }
}

function ratioText({ triedMs, stableMs, ratio, lower, upper }: P95Ratio): string {
  const short = (value: number) => value.toPrecision(3)
  return `p95 ${short(triedMs)} ms is ${short(ratio)} times the ${short(stableMs)} ms of the other release (95 %: ${short(lower)} to ${short(upper)})`
}

function judgeAnswers({ compared, differing }: ComparedAnswers, { maxDivergence }: RolloutLimits): Finding {
  if (compared === 0) return { level: 'fine', text: '' }
  const text = `${differing} of ${compared} compared answers differ`
  return maxDivergence === null ? { level: 'fine', text } : shareFinding(differing, compared, maxDivergence, text)
}

function shareFinding(count: number, total: number, limit: number, text: string): Finding {
  const allowed = `${text}, at most ${percent(limit)} may`
  if (wilsonInterval(count, total)[0] > limit) return { level: 'broken', text: allowed }
  return count / total > limit ? { level: 'doubtful', text: allowed } : { level: 'fine', text }
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`
}
