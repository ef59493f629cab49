import { changesLayout, dequantizesConstant } from '../kernel-kinds.ts'
import { mainNode, nodeLabel, type ProfiledKernel } from '../model-profile.ts'
import { islandNodes, type SlowdownContext, type SlowdownFinding } from '../slowdown-context.ts'
import { byOperator, counted, inMs, inPercent, someNodes } from '../wording.ts'

/** Conversions at the model's inputs and outputs below this share are what 8 bits cost anyway. */
const NOTABLE_SHARE = 0.03

/** Conversions between float32 and 8 bits around nodes that stay in float. */
export function manyConversions(context: SlowdownContext): SlowdownFinding[] {
  const { innerConversions, buildMs } = context
  if (innerConversions.length === 0) return []
  const ms = total(innerConversions)
  const inside = [...islandNodes(context).keys()]
  const between =
    inside.length > 0 ? ` In float32 between 8-bit nodes: ${byOperator(inside)}.` : ' Neighbouring nodes use different scales.'
  return [
    {
      rule: 'many-conversions',
      message: `${counted(innerConversions.length, 'conversion')} between float32 and 8 bits inside the network ${innerConversions.length === 1 ? 'runs as a kernel' : 'run as kernels'} of ${innerConversions.length === 1 ? 'its' : 'their'} own and cost ${inMs(ms)} (${inPercent(ms, buildMs)} of the build).${between}`,
      nodes: inside.map(nodeLabel),
      lostMs: ms,
    },
  ]
}

/** Conversions at the model's inputs and outputs, where they are worth a word. */
export function boundaryConversions({ outerConversions, buildMs }: SlowdownContext): SlowdownFinding[] {
  const ms = total(outerConversions)
  if (outerConversions.length === 0 || ms < NOTABLE_SHARE * buildMs) return []
  return [
    {
      rule: 'boundary-conversions',
      message: `Converting the model's inputs to 8 bits and its outputs back takes ${inMs(ms)} (${inPercent(ms, buildMs)} of the build, ${counted(outerConversions.length, 'kernel')}).`,
      nodes: outerConversions.flatMap(({ nodes }) => nodes.slice(0, 1).map(nodeLabel)),
      lostMs: ms,
    },
  ]
}

/** Weights stored in 8 bits for kernels that want float32: converted again in every inference. */
export function weightsDequantized({ build, buildMs }: SlowdownContext): SlowdownFinding[] {
  const kernels = build.kernels.filter((kernel) => dequantizesConstant(build.rewritten, kernel))
  if (kernels.length === 0) return []
  const ms = total(kernels)
  const readers = kernels.flatMap(({ rewritten }) => (rewritten?.output ?? []).flatMap((name) => build.rewritten.consumers(name)))
  const nodes = build.kernels
    .filter(({ rewritten }) => rewritten && readers.includes(rewritten))
    .flatMap((kernel) => mainNode(kernel.nodes) ?? [])
  return [
    {
      rule: 'weights-dequantized-every-run',
      message: `ONNX Runtime converts ${counted(kernels.length, 'constant')} stored in 8 bits to float32 in every inference, because no kernel reads ${kernels.length === 1 ? 'it' : 'them'} as stored: ${inMs(ms)} (${inPercent(ms, buildMs)} of the build), for ${byOperator(nodes)}: ${someNodes(nodes)}.`,
      nodes: nodes.map(nodeLabel),
      lostMs: ms,
    },
  ]
}

/** Ranges of activations measured anew in every inference (int8-dynamic). */
export function dynamicQuantization({ build, buildMs }: SlowdownContext): SlowdownFinding[] {
  const kernels = build.kernels.filter(({ op }) => op === 'DynamicQuantizeLinear')
  if (kernels.length === 0) return []
  const ms = total(kernels)
  return [
    {
      rule: 'dynamic-quantization',
      message: `The range of ${counted(kernels.length, 'activation')} is measured and the values converted in every inference (DynamicQuantizeLinear): ${inMs(ms)} (${inPercent(ms, buildMs)} of the build).`,
      nodes: kernels.flatMap(({ nodes }) => nodes.slice(0, 1).map(nodeLabel)),
      lostMs: ms,
    },
  ]
}

/** Casts between float16 and float32. */
export function halfPrecisionCasts({ build, buildMs, machine }: SlowdownContext): SlowdownFinding[] {
  const halves = (kernel: ProfiledKernel) => [...kernel.inputs, ...kernel.outputs].some(({ type }) => type === 'float16')
  const kernels = build.kernels.filter((kernel) => kernel.op === 'Cast' && halves(kernel))
  if (kernels.length === 0) return []
  const ms = total(kernels)
  const missing = machine.architecture === 'arm64' && machine.features.length > 0 && !machine.features.includes('asimdhp')
  const why = missing
    ? 'this processor cannot compute in float16 (it lacks asimdhp)'
    : `ONNX Runtime has hardly any float16 kernels for ${machine.architecture} and computes in float32`
  return [
    {
      rule: 'half-precision-casts',
      message: `${counted(kernels.length, 'cast')} between float16 and float32 ${kernels.length === 1 ? 'takes' : 'take'} ${inMs(ms)} (${inPercent(ms, buildMs)} of the build): ${why}.`,
      nodes: kernels.flatMap(({ nodes }) => nodes.slice(0, 1).map(nodeLabel)),
      lostMs: ms,
    },
  ]
}

/** Changes between channels-first, channels-last and blocked order that the runtime placed, more of them than in the baseline. */
export function layoutChanges({ baseline, build, buildMs }: SlowdownContext): SlowdownFinding[] {
  const kernels = build.kernels.filter(changesLayout)
  const ms = total(kernels)
  const lost = ms - total(baseline.kernels.filter(changesLayout))
  if (kernels.length === 0 || lost <= 0) return []
  const kinds = [...new Set(kernels.map(({ op }) => op))].join(', ')
  return [
    {
      rule: 'layout-changes',
      message: `ONNX Runtime changes the order of values in memory ${counted(kernels.length, 'time')} (${kinds}) in ${inMs(ms)} (${inPercent(ms, buildMs)} of the build), ${inMs(lost)} more than in the baseline: 8-bit convolutions want channels last, float32 ones blocks of channels.`,
      nodes: [],
      lostMs: lost,
    },
  ]
}

function total(kernels: readonly ProfiledKernel[]): number {
  return kernels.reduce((sum, { ms }) => sum + ms, 0)
}
