import type { AccuracyContext, AccuracyFinding } from '../accuracy-context.ts'
import { layerText, outputsDiffer } from '../accuracy-context.ts'
import type { ComparedLayer } from '../compared-layers.ts'
import { inDb } from '../wording.ts'
import { isSharpDrop } from './sharp-drop.ts'

/** Additions that make a residual network of it. */
const FEWEST_ADDITIONS = 3
/** Noise of twice the size between the first addition and the last. */
const NOTABLE_DB = 6
/** Layers that are named as the ones that lose most. */
const NAMED = 3

/** Noise that grows from one residual addition to the next: each carries the error of all branches before it on. */
export function residualAccumulation(context: AccuracyContext): AccuracyFinding[] {
  if (!outputsDiffer(context) || context.layers.some(isSharpDrop)) return []
  const additions = context.layers.filter(isResidual)
  const [first] = additions
  const last = additions.at(-1)
  if (!first || !last || additions.length < FEWEST_ADDITIONS) return []
  const [before, after] = [first.distance.sqnrDb!, last.distance.sqnrDb!]
  const falls = additions.filter((layer, index) => index > 0 && layer.distance.sqnrDb! < additions[index - 1]!.distance.sqnrDb!)
  if (before - after < NOTABLE_DB || falls.length < (2 / 3) * (additions.length - 1)) return []
  return [
    {
      rule: 'residual-accumulation',
      message: `No single layer stands out: errors add up along the residual additions, from ${inDb(before)} behind ${layerText(first)} to ${inDb(after)} behind ${layerText(last)} (${additions.length} additions).`,
      layers: additions.map(({ layer }) => layer),
      classes: [],
    },
  ]
}

/** The honest answer where the outputs differ and every layer loses a little. */
export function noSingleLayer(context: AccuracyContext, explained: ReadonlySet<string>): AccuracyFinding[] {
  if (!outputsDiffer(context) || explained.size > 0) return []
  const losing = context.layers.filter(({ lostDb }) => lostDb !== null && lostDb > 0).sort((a, b) => b.lostDb! - a.lostDb!)
  const most = losing.slice(0, NAMED)
  const named = most.map((layer) => `${layerText(layer)} ${inDb(layer.lostDb)}`).join(', ')
  return [
    {
      rule: 'no-single-layer',
      message: `The outputs are ${inDb(context.outputs.runDb)} from the baseline's, and no single layer stands out.${named === '' ? '' : ` These lose most: ${named}.`}`,
      layers: most.map(({ layer }) => layer),
      classes: [],
    },
  ]
}

/** An addition of two activations that were both computed. */
function isResidual({ nodes, inputs, distance }: ComparedLayer): boolean {
  return distance.sqnrDb !== null && nodes.some(({ opType }) => opType === 'Add') && inputs.length >= 2
}
