import { formatMs, formatRatio } from '../backend/report/quantities.ts'
import type { Explanation } from '../contract/analysis.ts'
import { LOCAL_DEVICE_ID } from '../contract/device.ts'
import { toErrorReport } from '../contract/errors.ts'
import type { Speedup } from '../contract/measurement.ts'
import type { Model } from '../contract/model.ts'
import type { CommandContext } from './command.ts'
import { explanationLines } from './explanation-text.ts'
import { runJob } from './run-job.ts'

/** What a quick look at build and source on this computer found. */
export interface SpeedCheck {
  readonly verdict: Speedup['verdict']
  readonly baselineMs: number
  readonly buildMs: number
  readonly findings: Explanation['findings']
  readonly advice: string | null
}

/** A few runs one after the other: differences up to this share may be the machine's mood. `compare` measures properly. */
const MARGIN = 0.05

/** Steps that change what the graph computes: source and build are not to be compared. */
const changesTask = ['extract'] as const

/**
 * Times a build beside its source on this computer, when it was made for this computer's own target. A check that fails
 * is only missing: the build is there. Answers null when there is nothing to say.
 */
export async function checkSpeed(context: CommandContext, source: Model, build: Model): Promise<SpeedCheck | null> {
  const backend = await context.backend()
  const { hostTarget } = await backend.call('workspace.describe', {})
  if (build.target !== hostTarget || build.recipe?.some(({ recipe }) => changesTask.some((name) => name === recipe))) return null
  try {
    const found = await runJob(context, 'explain.start', { baselineId: source.id, modelId: build.id, deviceId: LOCAL_DEVICE_ID })
    const { baselineMs, buildMs, findings, advice } = found
    return { verdict: verdictOf(baselineMs, buildMs), baselineMs, buildMs, findings, advice }
  } catch (error) {
    const { code, message } = toErrorReport(error)
    if (code === 'JOB_CANCELLED') throw error
    context.terminal.note(`The speed was not checked: ${message}`)
    return null
  }
}

/** The same words as a comparison, from one quick measurement. */
export function verdictOf(baselineMs: number, buildMs: number): SpeedCheck['verdict'] {
  if (buildMs > baselineMs * (1 + MARGIN)) return 'slower'
  return buildMs * (1 + MARGIN) < baselineMs ? 'faster' : 'no difference shown'
}

/** The check for people, with the reasons when the build is slower. */
export function speedLines({ verdict, baselineMs, buildMs, findings, advice }: SpeedCheck): string {
  const times = `${formatMs(buildMs)} against ${formatMs(baselineMs)}`
  if (verdict === 'faster') return `Quick check here: ${formatRatio(baselineMs / buildMs)} the speed of its source (${times}).`
  if (verdict === 'no difference shown') return `Quick check here: no difference in speed shown (${times}).`
  return [
    `Quick check here: SLOWER than its source, it needs ${formatRatio(buildMs / baselineMs)} the time (${times}). It is no optimization on this machine.`,
    ...explanationLines({ findings, advice }).map((line) => `  ${line}`),
  ].join('\n')
}
