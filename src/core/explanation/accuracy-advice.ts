import { type AccuracyContext, type AccuracyFinding, excludeName } from './accuracy-context.ts'
import { coarseChannels } from './coarse-channels.ts'
import { nodeList } from './wording.ts'

/** What to do in words and as options of `optimize`; null where nothing helps or nothing is needed. The first cause decides. */
export function accuracyAdvice(context: AccuracyContext, findings: readonly AccuracyFinding[]): string | null {
  if (findings.some(({ rule }) => rule === 'no-loss-shown')) return null
  for (const finding of findings) {
    const advice = adviceFor(context, finding)
    if (advice !== null) return advice
  }
  return null
}

function adviceFor(context: AccuracyContext, { rule, layers }: AccuracyFinding): string | null {
  switch (rule) {
    case 'both-at-chance':
      return 'Correct the preprocessing of the dataset first (--preprocess file.json); no recipe can repair that.'
    case 'float16-overflow':
      return `Leave these nodes in float32: optimize … --recipe fp16 --set exclude=${excluded(context, layers)}. Or store float16 weights and compute in float32: --set weightsOnly=true.`
    case 'clipped-activations':
      return 'Calibrate on more samples, which look like those the model will meet, and keep all of their range: optimize … --recipe int8-static --calibration DATASET --samples 1000 --set calibrator=minmax.'
    case 'coarse-weights':
      return sharesOneScale(context, layers)
        ? 'Give each output channel its own scale: optimize … --recipe int8-static --calibration DATASET --set perChannel=true.'
        : leaveInFloat(context, layers)
    case 'products-saturate':
      return 'Make the build for this processor: optimize … --recipe int8-static --calibration DATASET --target x64, which keeps weights small enough (pair-safe).'
    case 'sharp-drop':
      return leaveInFloat(context, layers)
    case 'residual-accumulation':
    case 'no-single-layer':
      return isQuantized(context)
        ? 'Let the search decide which layers to leave in float32: optimize … --recipe int8-static --calibration DATASET --data DATASET --max-accuracy-drop 0.01.'
        : 'Remove less: a lower sparsity or amount (--set sparsity=0.3, --set amount=0.3).'
    default:
      return null
  }
}

function leaveInFloat(context: AccuracyContext, layers: readonly string[]): string {
  const names = excluded(context, layers)
  const these = layers.length === 1 ? 'this layer' : 'these layers'
  if (!isQuantized(context)) return `Make the build again without touching ${these}: --set exclude=${names}.`
  return `Leave ${these} in float32: optimize … --recipe int8-static --calibration DATASET --set exclude=${names}. Or let --max-accuracy-drop search.`
}

function excluded(context: AccuracyContext, layers: readonly string[]): string {
  const named = new Set(layers)
  return nodeList([
    ...new Set(context.layers.filter(({ layer, main }) => main && named.has(layer)).map((layer) => excludeName(context, layer))),
  ])
}

function isQuantized({ layers }: AccuracyContext): boolean {
  return layers.some(({ precision }) => precision.startsWith('int'))
}

function sharesOneScale({ build, layers }: AccuracyContext, names: readonly string[]): boolean {
  return layers.some(({ layer, buildNode }) => names.includes(layer) && coarseChannels(build.graph, buildNode)?.scales === 1)
}
