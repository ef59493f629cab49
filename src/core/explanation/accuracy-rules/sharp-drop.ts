import type { AccuracyContext, AccuracyFinding } from '../accuracy-context.ts'
import { layerText, outputsDiffer } from '../accuracy-context.ts'
import type { ComparedLayer } from '../compared-layers.ts'
import { counted, inDb } from '../wording.ts'

/** 8-bit layers lose one to three dB each; noise of two and a half times the size in one step stands out. */
const SHARP_DB = 8
/** Above this a drop is from excellent to good. */
const CLEAN_DB = 30
/** A first lossy layer has nothing to be compared with; 8 bits give 30 to 50 dB. */
const POOR_FIRST_DB = 15

/** The first layer at which the signal to noise falls sharply, where no other rule knows why. */
export function sharpDrop(context: AccuracyContext, explained: ReadonlySet<string>): AccuracyFinding[] {
  if (!outputsDiffer(context)) return []
  // A drop right behind a layer with a reason of its own is that layer's doing.
  const unknown = ({ layer, inputs }: ComparedLayer) => ![layer, ...inputs.map((input) => input.layer)].some((name) => explained.has(name))
  const drops = context.layers.filter((layer) => isSharpDrop(layer) && unknown(layer))
  const [first, ...others] = drops
  if (!first) return []
  const before = Math.min(...first.inputs.flatMap(({ distance }) => distance.sqnrDb ?? []))
  const from = Number.isFinite(before) ? `from ${inDb(before)} ` : ''
  const more = others.length > 0 ? ` ${counted(others.length, 'further layer')} ${others.length === 1 ? 'does' : 'do'} the same.` : ''
  return [
    {
      rule: 'sharp-drop',
      message: `The signal to noise falls ${from}to ${inDb(first.distance.sqnrDb)} at ${layerText(first)}, the first layer that loses much.${more}`,
      layers: drops.map(({ layer }) => layer),
      classes: [],
    },
  ]
}

/** Whether much is lost in one layer. */
export function isSharpDrop({ distance: { sqnrDb }, lostDb, inputs }: ComparedLayer): boolean {
  if (sqnrDb === null) return false
  if (lostDb !== null) return lostDb >= SHARP_DB && sqnrDb < CLEAN_DB
  return sqnrDb < POOR_FIRST_DB && inputs.every(({ distance }) => distance.sqnrDb === null)
}
