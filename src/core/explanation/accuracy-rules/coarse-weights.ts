import type { AccuracyContext, AccuracyFinding } from '../accuracy-context.ts'
import { layerText, outputsDiffer } from '../accuracy-context.ts'
import { coarseChannels } from '../coarse-channels.ts'
import type { ComparedLayer } from '../compared-layers.ts'
import { convShape } from '../kernel-kinds.ts'
import { counted, inDb } from '../wording.ts'

/** Share of output channels that makes it the layer's trouble and not one channel's. */
const NOTABLE_SHARE = 0.1
/** What a layer must lose for its weights to be worth a word, and from where on a loss shows. */
const NOTABLE_DB = 3
const CLEAN_DB = 30

/** Layers whose 8-bit weights have so few steps in some channels that rounding took much of them. */
export function coarseWeights(context: AccuracyContext): AccuracyFinding[] {
  if (!outputsDiffer(context)) return []
  // Weak channels hardly count in the signal of the layer itself; what reads it may bring them up to the others' size.
  const readers = new Map<ComparedLayer, ComparedLayer[]>()
  for (const layer of context.layers) {
    for (const input of layer.inputs) {
      const known = readers.get(input)
      if (known) known.push(layer)
      else readers.set(input, [layer])
    }
  }
  const found = context.layers
    .flatMap((layer) => {
      const lossy = [layer, ...(readers.get(layer) ?? [])].find(losesMuch)
      const channels = lossy && coarseChannels(context.build.graph, layer.buildNode)
      return lossy && channels && channels.coarse > NOTABLE_SHARE * channels.of ? [{ layer, channels, db: lossy.distance.sqnrDb }] : []
    })
    .sort((a, b) => (a.db ?? 0) - (b.db ?? 0))
  const [worst] = found
  if (!worst) return []
  const { layer, channels, db } = worst
  const one = channels.scales === 1 ? ', because all channels share one scale' : ''
  const others = found.length > 1 ? ` ${counted(found.length - 1, 'more layer')} of that kind.` : ''
  return [
    {
      rule: 'coarse-weights',
      message: `In ${channels.coarse} of ${channels.of} output channels of ${layerText(layer)}${depthwise(context, layer)} the weights span a few steps of the 8-bit grid only${one}: ${inDb(db)} behind it.${others}`,
      layers: found.map((entry) => entry.layer.layer),
      classes: [],
    },
  ]
}

function losesMuch({ distance: { sqnrDb }, lostDb }: ComparedLayer): boolean {
  return sqnrDb !== null && sqnrDb < CLEAN_DB && (lostDb === null || lostDb >= NOTABLE_DB)
}

function depthwise({ build }: AccuracyContext, { buildNode }: ComparedLayer): string {
  return buildNode && convShape(build.graph, buildNode)?.depthwise ? ', a depthwise convolution,' : ''
}
