import { CoreError } from '../core-error.ts'
import type { Port } from '../inference-runtime.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { arrayText, isFloat } from './numeric-array.ts'

/** Where the channels of an image stand: `[C,H,W]` or `[H,W,C]`. */
export type ImageLayout = 'channels-first' | 'channels-last'

/**
 * The contract's `Preprocessing` as far as it works on stored numbers: channel order, value × scale, (value − mean[c]) ÷ std[c], layout,
 * element type. Absent fields do nothing. Of `image` only its result counts here: pixels of that size, channels last.
 */
export interface PreprocessingSteps {
  readonly image?: { readonly width: number; readonly height: number; readonly colour: 'rgb' | 'grey' } | undefined
  readonly stored?: ImageLayout | undefined
  readonly reverseChannels?: boolean | undefined
  readonly scale?: number | undefined
  readonly mean?: readonly number[] | undefined
  readonly std?: readonly number[] | undefined
  readonly layout?: ImageLayout | undefined
  readonly dtype?: string | undefined
}

/** True when values are computed with: scale, mean or std. */
export function hasArithmetic({ scale, mean, std }: PreprocessingSteps): boolean {
  return scale !== undefined || mean !== undefined || std !== undefined
}

/** True when the steps speak of images, that is of inputs with three dimensions a sample. */
function speaksOfImages({ image, stored, layout, reverseChannels }: PreprocessingSteps): boolean {
  return image !== undefined || stored !== undefined || layout !== undefined || reverseChannels === true
}

/** True when nothing is to be done or checked. */
export function isIdentity(steps: PreprocessingSteps): boolean {
  return !hasArithmetic(steps) && !speaksOfImages(steps) && steps.dtype === undefined
}

/** How the stored arrays hold images; `undefined` where it is not said. */
export function storedLayout({ image, stored }: PreprocessingSteps): ImageLayout | undefined {
  return image ? 'channels-last' : stored
}

/**
 * What of the preprocessing is meant for each input, in their order. With a single input all is meant for it, so that a mismatch is told.
 * Of several it is meant for those of the right type (`dtype`, else floating point where values are computed with) and, where it speaks
 * of images, with four dimensions: token ids or a mask take their values as they are.
 *
 * @param inputs with the batch as their first dimension
 * @throws CoreError `DATASET_SHAPE` when it is meant for none of several
 */
export function stepsForAll(inputs: readonly Port[], steps: PreprocessingSteps): readonly PreprocessingSteps[] {
  if (inputs.length <= 1 || isIdentity(steps)) return inputs.map(() => steps)
  const meant = inputs.map(({ type, shape }) => {
    const rightType = steps.dtype === undefined ? isFloat(type) || !hasArithmetic(steps) : type === steps.dtype
    return rightType && (!speaksOfImages(steps) || shape.length === 0 || shape.length === 4)
  })
  if (meant.includes(true)) return meant.map((is) => (is ? steps : {}))
  const found = inputs.map(({ name, type, shape }) => `${quoteName(name)} ${arrayText(type, shape)}`).join(', ')
  throw new CoreError('DATASET_SHAPE', `The preprocessing is meant for none of the model’s inputs: ${found}.`, {
    hint: 'It is for floating point inputs (or those of its dtype), and where it speaks of images for those with four dimensions. Leave it out, or correct it.',
    details: { found: inputs.map(({ name }) => name) },
  })
}
