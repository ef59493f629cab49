import { HALF_MAX } from '../../float16.ts'
import type { AccuracyContext, AccuracyFinding } from '../accuracy-context.ts'
import { layerText, outputsDiffer } from '../accuracy-context.ts'
import type { ComparedLayer } from '../compared-layers.ts'
import { counted, short } from '../wording.ts'

/** Values beyond what float16 can hold: they become infinite, and what is computed from them is not a number. */
export function halfOverflow(context: AccuracyContext): AccuracyFinding[] {
  const broken = context.layers.filter((layer) => layer.precision === 'float16' && (layer.distance.notFinite > 0 || beyondHalf(layer)))
  const first = broken.filter(({ inputs }) => !inputs.some((input) => broken.includes(input)))
  const [worst] = first
  if (!worst) return []
  const { min, max, notFinite, values } = worst.distance
  // Without float16 kernels ONNX Runtime computes on in float32 and may never round in between.
  const here = outputsDiffer(context)
    ? ''
    : ' The outputs do not show it here, where ONNX Runtime computes on in float32; a processor with float16 kernels will.'
  const others = broken.length > 1 ? ` It goes on through ${counted(broken.length - 1, 'further layer')}.` : ''
  return [
    {
      rule: 'float16-overflow',
      message: `Values of ${layerText(worst)} reach from ${short(min)} to ${short(max)}; float16 ends at ±${HALF_MAX}. ${notFinite} of ${values} became infinite or not a number.${others}${here}`,
      layers: broken.map(({ layer }) => layer),
      classes: [],
    },
  ]
}

function beyondHalf({ distance }: ComparedLayer): boolean {
  return Math.max(Math.abs(distance.min), Math.abs(distance.max)) > HALF_MAX
}
