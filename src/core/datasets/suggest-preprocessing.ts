import { LABEL_NAMES } from './labels.ts'
import { hasArithmetic, type PreprocessingSteps } from './preprocess.ts'
import { turnedDims, type WantedDims } from './sample-shape.ts'

/** An array of a dataset, or an input of a model: name, element type, dimensions with the samples first; `null` is unknown. */
export interface DescribedTensor {
  readonly name: string
  readonly type: string
  readonly shape: readonly (number | string | null)[] | null
}

/** A description that should fit, and why, a sentence for each change. */
export interface Suggestion<P> {
  readonly preprocessing: P
  readonly reasons: readonly string[]
}

/**
 * Suggests preprocessing that lets arrays feed a model: layout from the shapes, geometry of image files from the model's size, 1/255 for
 * bytes into floating point inputs, nothing computed for integer inputs. What cannot be told from shapes and types is left as it is:
 * mean and std are fitted from the data (`fitPreprocessing`).
 *
 * @param arrays of the dataset
 * @param inputs of the model
 * @param current description of the dataset; with `image` its arrays can be made anew in another size
 */
export function suggestPreprocessing<P extends PreprocessingSteps>(
  arrays: readonly DescribedTensor[],
  inputs: readonly DescribedTensor[],
  current: P,
): Suggestion<P> {
  const pair = imageFirst(paired(arrays, inputs))
  if (!pair) return { preprocessing: current, reasons: [] }
  const changes = [imageSize(pair, current), layoutOf(pair, current), typeOf(pair, current)]
  let preprocessing: P = current
  const reasons: string[] = []
  for (const { change, reason } of changes.filter((one) => one !== undefined)) {
    preprocessing = withoutAbsent({ ...preprocessing, ...change })
    reasons.push(reason)
  }
  return { preprocessing, reasons }
}

interface Pair {
  readonly array: DescribedTensor
  readonly input: DescribedTensor
}

interface Change {
  readonly change: Partial<PreprocessingSteps>
  readonly reason: string
}

function paired(arrays: readonly DescribedTensor[], inputs: readonly DescribedTensor[]): Pair[] {
  const names = new Set(inputs.map(({ name }) => name))
  const others = arrays.filter(({ name }) => names.has(name) || !LABEL_NAMES.includes(name))
  return inputs.flatMap((input) => {
    const array = arrays.find(({ name }) => name === input.name) ?? (inputs.length === 1 && others.length === 1 ? others[0] : undefined)
    return array ? [{ array, input }] : []
  })
}

/** The pair with an image, which preprocessing is mostly about. */
function imageFirst(pairs: readonly Pair[]): Pair | undefined {
  return pairs.find(({ input }) => input.shape?.length === 4) ?? pairs[0]
}

function sampleOf({ shape }: DescribedTensor): WantedDims {
  return (shape ?? []).slice(1).map((dim) => dim ?? undefined)
}

/** Whether dimensions can be the same; open ones may be anything. */
function match(dims: WantedDims, wanted: WantedDims): boolean {
  return (
    dims.length === wanted.length &&
    dims.every((dim, axis) => typeof dim !== 'number' || typeof wanted[axis] !== 'number' || wanted[axis] === dim)
  )
}

/** Layout of a model input by its number of channels: 1, 3 or 4 at one end and not at the other. */
function channelsOf(wanted: WantedDims): { readonly layout: 'channels-first' | 'channels-last'; readonly channels: number } | undefined {
  const [first, , last] = wanted
  const isCount = (dim: unknown): dim is number => dim === 1 || dim === 3 || dim === 4
  if (wanted.length !== 3 || isCount(first) === isCount(last)) return undefined
  return isCount(first) ? { layout: 'channels-first', channels: first } : { layout: 'channels-last', channels: last as number }
}

/** Image files can be made anew in the size the model takes. */
function imageSize({ input }: Pair, { image }: PreprocessingSteps): Change | undefined {
  const wanted = sampleOf(input)
  const found = channelsOf(wanted)
  if (!image || !found) return undefined
  const [height, width] = found.layout === 'channels-first' ? [wanted[1], wanted[2]] : [wanted[0], wanted[1]]
  const next = {
    ...image,
    ...(typeof height === 'number' ? { height } : {}),
    ...(typeof width === 'number' ? { width } : {}),
    ...(found.channels === 4 ? {} : { colour: found.channels === 1 ? ('grey' as const) : ('rgb' as const) }),
  }
  if (next.height === image.height && next.width === image.width && next.colour === image.colour) return undefined
  return {
    change: { image: next },
    reason: `The model takes images of ${next.width} × ${next.height}, ${next.colour === 'grey' ? 'one channel' : 'three channels'}.`,
  }
}

function layoutOf({ array, input }: Pair, current: PreprocessingSteps): Change | undefined {
  const wanted = sampleOf(input)
  if (current.image) {
    const layout = channelsOf(wanted)?.layout
    if (layout === undefined || layout === (current.layout ?? 'channels-last')) return undefined
    return { change: { layout }, reason: `Image files have their channels last, the model takes them ${last(layout)}.` }
  }
  const sample = sampleOf(array)
  const turned = current.stored !== undefined && current.layout !== undefined && current.stored !== current.layout
  if (sample.length !== 3 || wanted.length !== 3) return undefined
  if (match(sample, wanted)) {
    if (!turned) return undefined
    return { change: { stored: undefined, layout: undefined }, reason: 'The samples are in the model’s layout already.' }
  }
  for (const layout of ['channels-first', 'channels-last'] as const) {
    if (!match(turnedDims(sample, layout), wanted)) continue
    const stored = layout === 'channels-first' ? 'channels-last' : 'channels-first'
    if (current.stored === stored && current.layout === layout) return undefined
    return { change: { stored, layout }, reason: `The samples have their channels ${last(stored)}, the model takes them ${last(layout)}.` }
  }
  return undefined
}

function last(layout: 'channels-first' | 'channels-last'): string {
  return layout === 'channels-last' ? 'last' : 'first'
}

function typeOf({ array, input }: Pair, current: PreprocessingSteps): Change | undefined {
  const dtype = current.dtype !== undefined && current.dtype !== input.type ? { dtype: undefined } : {}
  const floating = input.type.startsWith('float')
  if (floating && array.type === 'uint8' && !hasArithmetic(current)) {
    return { change: { scale: 1 / 255, ...dtype }, reason: 'Bytes from 0 to 255 become numbers from 0 to 1, as most models are trained.' }
  }
  if (!floating && hasArithmetic(current) && current.dtype !== input.type) {
    return {
      change: { scale: undefined, mean: undefined, std: undefined, ...dtype },
      reason: `The model takes ${input.type} and computes with them itself.`,
    }
  }
  return Object.keys(dtype).length > 0 ? { change: dtype, reason: `The model takes ${input.type}.` } : undefined
}

/** Fields that are `undefined` left out, as the contract's strict schema and JSON have them. */
function withoutAbsent<P extends object>(fields: P): P {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as P
}
