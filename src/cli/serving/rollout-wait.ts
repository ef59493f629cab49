import { setTimeout as delay } from 'node:timers/promises'
import type { Deployed } from '../../contract/deployment.ts'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import type { ServiceLive, ServiceReport } from '../../contract/service-protocol.ts'
import type { CommandContext } from '../command.ts'
import { checkLines, logTail } from './service-text.ts'

/** How often the service is asked how its watch or canary is doing. */
const POLL_MS = 1000
/** While a service restarts it may not answer for a moment; longer is a failure of its own. */
const MOST_SILENT_POLLS = 20
/** A canary waits for requests without end. How often that, and the way out, is said. */
const REMIND_MS = 60_000

/** How a roll-out ended. */
export interface RolloutOutcome {
  readonly document: { readonly outcome: 'kept' | 'taken back' | 'beside' | 'not known'; readonly reason: string | null }
  readonly text: string
  readonly failure?: EdgesmithError
}

/**
 * Waits until the watch or the canary of a release is decided. Where that is not seen to its end (Ctrl+C, a service that does not answer for
 * long), the release serves all the same: the outcome says so, and what was deployed is told as always.
 */
export async function awaitRollout(
  context: CommandContext,
  deployed: Deployed,
  now: () => number = () => performance.now(),
  pollMs = POLL_MS,
): Promise<RolloutOutcome> {
  const stop = new AbortController()
  const release = context.interruption.handle(() => stop.abort())
  try {
    return await untilDecided(context, deployed, now, pollMs, stop.signal)
  } catch (error) {
    if (stop.signal.aborted) return unseen(deployed, new EdgesmithError('JOB_CANCELLED', 'The waiting was ended.'))
    if (error instanceof EdgesmithError) return unseen(deployed, error)
    throw error
  } finally {
    release()
  }
}

/** @throws EdgesmithError `SERVICE_NOT_RUNNING` when the service does not answer for long; what ends a wait that is aborted */
async function untilDecided(
  context: CommandContext,
  { id, release, service }: Deployed,
  now: () => number,
  pollMs: number,
  signal: AbortSignal,
): Promise<RolloutOutcome> {
  const backend = await context.backend()
  let [said, silent, saidAtMs] = ['', 0, now()]
  for (;;) {
    const live = await backend.call('deployments.live', { id }).catch((error: unknown) => {
      if (toErrorReport(error).code !== 'SERVICE_NOT_RUNNING' || ++silent > MOST_SILENT_POLLS) throw error
      return null
    })
    if (live) {
      silent = 0
      if (live.watch?.release !== release && live.canary?.release !== release) break
      const stands = standing(live)
      const waits = live.canary !== null && now() - saidAtMs >= REMIND_MS
      if (stands !== said || waits) {
        context.terminal.note(waits ? `${stands}: ${waiting(live.canary, service)}` : stands)
        saidAtMs = now()
      }
      said = stands
    }
    await delay(pollMs, undefined, { signal })
  }
  return outcomeOf(await backend.call('deployments.report', { id }), service, release)
}

function unseen({ service, release }: Deployed, { code, message, details }: EdgesmithError): RolloutOutcome {
  return {
    document: { outcome: 'not known', reason: message },
    text: `The roll-out of ${release} goes on by itself.`,
    failure: new EdgesmithError(code, message, { hint: `edgesmith status ${service} shows how it ends.`, details }),
  }
}

/** Changes seldom: it is a line for a log. */
function standing({ watch, canary }: ServiceLive): string {
  if (canary) return `Canary at ${canary.steps[canary.step] ?? 100} %`
  return watch ? 'Watching the new release' : ''
}

/** What a canary that stands still waits for, and how to decide by hand. */
function waiting(canary: ServiceLive['canary'], service: string): string {
  const wanted = canary?.waitingFor ? `waits for ${canary.waitingFor}` : 'goes on'
  const release = canary?.release.slice(0, 8) ?? ''
  return `${wanted}. By hand: edgesmith promote ${service} ${release}, or edgesmith withdraw ${service} ${release}`
}

function outcomeOf({ versions }: ServiceReport, service: string, release: string | null): RolloutOutcome {
  const version = versions.find((candidate) => candidate.release === release)
  if (version?.role === 'current')
    return { document: { outcome: 'kept', reason: null }, text: `${release} was kept: it serves all requests.` }
  if (version?.role === 'beside') {
    return { document: { outcome: 'beside', reason: null }, text: `${release} serves beside the current release (${version.weight} %).` }
  }
  const failure = version?.failure ?? null
  const reason = failure?.reason ?? 'another release serves'
  return {
    document: { outcome: 'taken back', reason },
    text: [`${release} was taken back: ${reason}`, ...(failure ? [checkLines(failure.checks), logTail(failure.log)] : [])]
      .filter((part) => part !== '')
      .join('\n'),
    failure: new EdgesmithError('DEPLOY_FAILED', `${service}: ${release} was taken back: ${reason}`, {
      hint: `What served before serves again. edgesmith status ${service} shows what was seen.`,
      details: { checks: failure?.checks ?? [] },
    }),
  }
}
