import type { ImageSteps, Layout, Preprocessing } from '../../../contract/dataset.ts'
import { numbersText, parseNumbers } from '../../forms/number-list.ts'

type Typed = number | string

/** The fields of the preprocessing form as they were typed; empty texts are absent fields. */
export interface PreprocessingDraft {
  readonly image: ImageDraft | null
  readonly stored: '' | Layout
  readonly reverseChannels: boolean
  readonly scaleChoice: 'none' | 'bytes' | 'custom'
  readonly scale: Typed
  readonly mean: string
  readonly std: string
  readonly layout: '' | Layout
  readonly dtype: '' | NonNullable<Preprocessing['dtype']>
}

/** Image geometry as it was typed. */
export interface ImageDraft {
  readonly width: Typed
  readonly height: Typed
  readonly resize: ImageSteps['resize']
  readonly shortSide: Typed
  readonly filter: ImageSteps['filter']
  readonly colour: ImageSteps['colour']
  readonly pad: string
}

const BYTES = 1 / 255

/** The fields that stand for a description. */
export function draftOf({ image, stored, reverseChannels, scale, mean, std, layout, dtype }: Preprocessing): PreprocessingDraft {
  return {
    image: image ? { ...image, shortSide: image.shortSide ?? '', pad: numbersText(image.pad) } : null,
    stored: stored ?? '',
    reverseChannels: reverseChannels ?? false,
    scaleChoice: scale === undefined ? 'none' : scale === BYTES ? 'bytes' : 'custom',
    scale: scale === undefined || scale === BYTES ? '' : scale,
    mean: mean ? numbersText(mean) : '',
    std: std ? numbersText(std) : '',
    layout: layout ?? '',
    dtype: dtype ?? '',
  }
}

/** The description the fields mean. What is no number becomes NaN, which the schema refuses. */
export function preprocessingOf(draft: PreprocessingDraft): Preprocessing {
  const { image, stored, reverseChannels, scaleChoice, scale, mean, std, layout, dtype } = draft
  return {
    ...(image ? { image: imageOf(image) } : {}),
    ...(stored ? { stored } : {}),
    ...(reverseChannels ? { reverseChannels } : {}),
    ...(scaleChoice === 'bytes' ? { scale: BYTES } : {}),
    ...(scaleChoice === 'custom' ? { scale: numberOf(scale) } : {}),
    ...(mean.trim() ? { mean: parseNumbers(mean) } : {}),
    ...(std.trim() ? { std: parseNumbers(std) } : {}),
    ...(layout ? { layout } : {}),
    ...(dtype ? { dtype } : {}),
  }
}

function imageOf({ width, height, resize, shortSide, filter, colour, pad }: ImageDraft): ImageSteps {
  return {
    width: numberOf(width),
    height: numberOf(height),
    resize,
    ...(resize === 'short-side' && shortSide !== '' ? { shortSide: numberOf(shortSide) } : {}),
    filter,
    colour,
    pad: parseNumbers(pad) as ImageSteps['pad'],
  }
}

function numberOf(typed: Typed): number {
  return typed === '' ? Number.NaN : Number(typed)
}
