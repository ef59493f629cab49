import type { AccuracyContext, AccuracyFinding } from '../accuracy-context.ts'
import { layerText, outputsDiffer } from '../accuracy-context.ts'
import type { ComparedLayer } from '../compared-layers.ts'
import type { ActivationGrid } from '../corresponding-tensors.ts'
import { inDb, short } from '../wording.ts'

/** Calibrators that cut outliers on purpose clip one value in a hundred thousand to one in a thousand. */
const NOTABLE_SHARE = 0.001
/** From here on clipping, not rounding, is what makes the difference. */
const MOST_OF_NOISE = 0.5
/** Above this nothing was lost that an answer could show. */
const CLEAN_DB = 30

/** Activations whose quantized range is too narrow for the values they take on these samples. */
export function clippedActivations(context: AccuracyContext): AccuracyFinding[] {
  if (!outputsDiffer(context)) return []
  const clipped = context.layers
    .filter(({ tensor, distance }) => {
      const { sqnrDb, clipped: count, values, clippingShare } = distance
      const bad = sqnrDb !== null && sqnrDb < CLEAN_DB
      return tensor.grid && bad && count > NOTABLE_SHARE * values && clippingShare >= MOST_OF_NOISE
    })
    .sort((a, b) => (a.distance.sqnrDb ?? 0) - (b.distance.sqnrDb ?? 0))
  const [worst] = clipped
  if (!worst) return []
  const others = clipped.length > 1 ? ` The same holds for ${clipped.length - 1} more.` : ''
  return [
    {
      rule: 'clipped-activations',
      message: `${described(worst)}.${others} The ranges were found on other samples, or cut on purpose.`,
      layers: clipped.map(({ layer }) => layer),
      classes: [],
    },
  ]
}

function described(layer: ComparedLayer): string {
  const { clipped, values, min, max, sqnrDb } = layer.distance
  const { lowest, highest } = held(layer.tensor.grid!)
  const percent = Number(((100 * clipped) / values).toPrecision(2))
  return `Values of ${layerText(layer)} reach from ${short(min)} to ${short(max)}, the build holds ${short(lowest)} to ${short(highest)}: ${percent} % are clipped (${inDb(sqnrDb)})`
}

function held({ scale, zeroPoint, lowest, highest }: ActivationGrid): { readonly lowest: number; readonly highest: number } {
  return { lowest: (lowest - zeroPoint) * scale, highest: (highest - zeroPoint) * scale }
}
