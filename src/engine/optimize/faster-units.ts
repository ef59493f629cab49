import { gainsByNode } from '../../core/explanation/corresponding-nodes.ts'
import type { NamedTensors } from '../../core/inference-runtime.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import { profileInterleaved } from '../runtimes/node-profile.ts'
import type { SearchStart } from './mixed-precision-step.ts'
import type { StepContext } from './step-context.ts'

/** Enough runs for a median, and a bound on the time of slow models. */
const PROFILE = { threads: 1, runs: 100, warmupRuns: 10, budgetMs: 4000 } as const
/** Taking units back makes others lose (a conversion more) or gain; it settles after one or two rounds. */
const MAX_ROUNDS = 6
/** A loss below this share of the whole run is noise. */
const LEAST_SHARE = 0.003

/** Units to leave in float because they are slower in 8 bits, with the reason of each, and what came of it. */
export interface FasterUnits {
  readonly leave: ReadonlyMap<string, string>
  readonly warnings: readonly string[]
}

/**
 * Takes back to float what ONNX Runtime's profiler shows to be slower in 8 bits on this computer, as long as the whole model
 * gets faster by it: whole runs decide, because a unit in float between others costs conversions of its own.
 *
 * @throws the runtime's errors
 */
export async function slowerUnits(start: SearchStart, context: StepContext): Promise<FasterUnits> {
  const { quantization, calibrator, biasCorrection, samples } = start
  const feeds = await samples.read(0)
  const float = encodeModel(quantization.prepared)
  const built = (left: ReadonlyMap<string, string>): Uint8Array =>
    encodeModel(quantization.quantize({ leave: new Map([...start.leave, ...left]), calibrator, biasCorrection }).model)
  const weighted = new Set(quantization.units.filter(({ kind }) => kind === 'weighted').map(({ node }) => node.name))
  let leave = new Map<string, string>()
  let current = await timed(float, built(leave), feeds, context)
  let losers = slower(
    quantization.units.map(({ node }) => node.name),
    current,
    leave,
  )
  for (let round = 1; round <= MAX_ROUNDS && losers.length > 0; round++) {
    const more = new Map([...leave, ...losers.map(({ node, lostMs }) => [node, slowerReason(lostMs)] as const)])
    const stays = [...weighted].some((node) => !more.has(node) && !start.leave.has(node))
    const next = stays ? await timed(float, built(more), feeds, context) : undefined
    if (next && next.share < current.share) {
      leave = more
      current = next
      losers = slower(
        quantization.units.map(({ node }) => node.name),
        current,
        leave,
      )
    } else losers = losers.slice(0, Math.floor(losers.length / 2))
  }
  return { leave, warnings: current.share > 1 ? [stillSlower(current, leave.size)] : [] }
}

interface Timing {
  readonly gains: ReadonlyMap<string, number>
  readonly floatMs: number
  readonly buildMs: number
  /** Time of the build as a share of the float model's, both measured beside each other. */
  readonly share: number
}

async function timed(float: Uint8Array, build: Uint8Array, feeds: NamedTensors, { progress }: StepContext): Promise<Timing> {
  const models = [
    { model: float, feeds },
    { model: build, feeds },
  ]
  const [before, after] = await profileInterleaved(models, {
    ...PROFILE,
    onRun: (done, total) => progress('profiling', done, total, 'runs'),
  })
  const [floatMs, buildMs] = [before!.runMs, after!.runMs]
  return { gains: gainsByNode(before!, after!), floatMs, buildMs, share: buildMs / floatMs }
}

interface Loser {
  readonly node: string
  readonly lostMs: number
}

/** Units that take longer in 8 bits, largest loss first. */
function slower(units: readonly string[], { gains, floatMs }: Timing, left: ReadonlyMap<string, string>): Loser[] {
  const lost = units.flatMap((node) => (gains.has(node) && !left.has(node) ? [{ node, lostMs: -gains.get(node)! }] : []))
  return lost.filter(({ lostMs }) => lostMs >= floatMs * LEAST_SHARE).sort((a, b) => b.lostMs - a.lostMs)
}

function slowerReason(lostMs: number): string {
  return `left in float32: in 8 bits it takes ${lostMs.toFixed(4)} ms longer on this computer`
}

function stillSlower({ floatMs, buildMs }: Timing, left: number): string {
  return `Even with ${left} nodes left in float32 the build is slower than its source here (${buildMs.toFixed(3)} ms against ${floatMs.toFixed(3)} ms with the profiler on).`
}
