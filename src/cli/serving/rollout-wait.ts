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

/** How a roll-out ended. */
export interface RolloutOutcome {
  readonly document: { readonly outcome: 'kept' | 'taken back' | 'beside'; readonly reason: string | null }
  readonly text: string
  readonly failure?: EdgesmithError
}

/**
 * Waits until the watch or the canary of a release is decided. Ctrl+C ends the waiting, not the roll-out.
 * @throws EdgesmithError `SERVICE_NOT_RUNNING` when the service does not answer for long, `JOB_CANCELLED`
 */
export async function awaitRollout(context: CommandContext, { id, release, service }: Deployed): Promise<RolloutOutcome> {
  const backend = await context.backend()
  let [said, silent] = ['', 0]
  for (;;) {
    const live = await backend.call('deployments.live', { id }).catch((error: unknown) => {
      if (toErrorReport(error).code !== 'SERVICE_NOT_RUNNING' || ++silent > MOST_SILENT_POLLS) throw error
      return null
    })
    if (live) {
      silent = 0
      if (live.watch?.release !== release && live.canary?.release !== release) break
      const now = standing(live)
      if (now !== said) context.terminal.note(now)
      said = now
    }
    await delay(POLL_MS)
  }
  return outcomeOf(await backend.call('deployments.report', { id }), service, release)
}

/** Changes seldom: it is a line for a log. */
function standing({ watch, canary }: ServiceLive): string {
  if (canary) return `Canary at ${canary.steps[canary.step] ?? 100} %${canary.waitingFor && `: ${canary.waitingFor}`}`
  return watch ? 'Watching the new release' : ''
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
