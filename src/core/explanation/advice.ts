import type { CorrespondingKernels } from './corresponding-nodes.ts'
import { convertsTypes } from './kernel-kinds.ts'
import { mainNode, nodeLabel } from './model-profile.ts'
import { int8Rows, type SlowdownContext, type SlowdownFinding } from './slowdown-context.ts'
import { inMs, nodeList } from './wording.ts'

/** Below this share of the baseline a gain is not worth another build. */
const WORTH_SHARE = 0.03
/** What converting a value costs where the profile has no conversion to measure it by, milliseconds (0.5 ns). */
const CONVERSION_MS_PER_VALUE = 5e-7
/** What calling a kernel costs at least. */
const KERNEL_MS = 0.003

/**
 * The better alternative in words; null when there is nothing better to say. The first rule that applies decides: a wrong target or
 * recipe comes before single nodes.
 */
export function slowdownAdvice(context: SlowdownContext, findings: readonly SlowdownFinding[]): string | null {
  const found = (rule: string) => findings.find((entry) => entry.rule === rule)
  if (found('slow-number-types')) return 'Make the build again for the target x64: its activations become uint8.'
  if (found('conv-integer')) return 'Use int8-static, which needs calibration samples, or int8-dynamic without convolutions.'
  const unfused = [...findings.filter(({ rule }) => rule === 'unfused-unit'), ...findings.filter(({ rule }) => rule === 'left-in-float')]
  const inFloat = [...new Set(unfused.flatMap(({ nodes }) => nodes))]
  if (unfused.some(({ rule }) => rule === 'unfused-unit')) {
    return `Leave what runs in float32 anyway without Q/DQ pairs: --set exclude=${nodeList(inFloat)}.`
  }
  if (found('weights-dequantized-every-run')) {
    return 'Use int8-static to compute in 8 bits, or fp16 with weightsOnly: float16 weights are converted once, when the model is loaded.'
  }
  return eightBitAdvice(context, findings) ?? otherAdvice(findings)
}

/** Which layers to leave in float, or to leave 8 bits altogether. */
function eightBitAdvice(context: SlowdownContext, findings: readonly SlowdownFinding[]): string | null {
  const rows = int8Rows(context)
  if (rows.length === 0) return null
  const baselineMs = context.baseline.kernels.reduce((sum, { ms }) => sum + ms, 0)
  const better = rows.filter((row) => row.lostMs - conversionsAround(row, context) > 0)
  const saved = better.reduce((sum, row) => sum + row.lostMs - conversionsAround(row, context), 0)
  const stillMs = context.buildMs - saved
  if (stillMs < baselineMs && saved > WORTH_SHARE * baselineMs) {
    const names = better.flatMap(({ sources }) => mainNode(sources) ?? []).map(nodeLabel)
    return `Leave these nodes in float32, which should save about ${inMs(saved)}: --set exclude=${nodeList(names)}. Or let --max-accuracy-drop search.`
  }
  const lostMs = rows.reduce((sum, row) => sum + Math.max(0, row.lostMs), 0)
  if (context.buildMs <= baselineMs || lostMs <= WORTH_SHARE * baselineMs) return null
  const gained = rows.reduce((sum, { lostMs }) => sum + Math.max(0, -lostMs), 0)
  const why =
    gained < WORTH_SHARE * baselineMs
      ? 'No layer of this model gains from 8 bits on this processor'
      : `8 bits gain ${inMs(gained)} in some layers of this model on this processor and lose more in others`
  const elsewhere = findings.some(({ rule }) => rule === 'missing-cpu-feature')
    ? ', or run the 8-bit build on a processor with 8-bit dot products'
    : ''
  return `${why}: keep float32 here. For a smaller file use fp16 with weightsOnly; for speed remove channels (prune-channels)${elsewhere}.`
}

function otherAdvice(findings: readonly SlowdownFinding[]): string | null {
  const found = (rule: string) => findings.some((entry) => entry.rule === rule)
  if (found('zeros-cost-time')) return 'For speed remove whole channels (prune-channels) instead of single weights.'
  if (found('half-precision-casts')) return 'Use fp16 with weightsOnly: the same file size, computed in float32 without casts.'
  if (found('memory-bound')) return 'Use int4-weights or int8-dynamic: both read fewer bytes of weights.'
  if (found('half-precision-computes-in-float32')) return 'Keep this build for its size; for speed use int8-static or prune-channels.'
  return null
}

/** What leaving 8 bits and coming back would cost around a row: its inputs and outputs are converted, two kernels at least. */
function conversionsAround({ build }: CorrespondingKernels, context: SlowdownContext): number {
  const measured = context.build.kernels.filter(convertsTypes)
  const values = measured.reduce((sum, { outputs, inputs }) => sum + elements((outputs[0] ?? inputs[0])?.shape), 0)
  const perValue = values > 100_000 ? measured.reduce((sum, { ms }) => sum + ms, 0) / values : CONVERSION_MS_PER_VALUE
  const moved = build.reduce((sum, { inputs, outputs }) => sum + elements(inputs[0]?.shape) + elements(outputs[0]?.shape), 0)
  return 2 * KERNEL_MS + moved * perValue
}

function elements(shape: readonly number[] | undefined): number {
  return shape?.reduce((product, dim) => product * dim, 1) ?? 0
}
