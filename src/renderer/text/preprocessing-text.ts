import type { ImageSteps, Layout, Preprocessing } from '../../contract/dataset.ts'
import { formatSignificant } from '../format/numbers.ts'

/** Ways to bring an image to width × height, in words. */
export const resizeChoices: readonly { readonly value: ImageSteps['resize']; readonly label: string }[] = [
  { value: 'short-side', label: 'Shorter side to a size, then cut the centre (ImageNet)' },
  { value: 'cover', label: 'Fill, cut what sticks out' },
  { value: 'contain', label: 'Whole image inside, pad the rest' },
  { value: 'stretch', label: 'Stretch, whatever the shape' },
]

/** Where channels stand, as shapes. */
export const layoutText: Readonly<Record<Layout, string>> = {
  'channels-first': 'channels first [N,C,H,W]',
  'channels-last': 'channels last [N,H,W,C]',
}

/** What preprocessing does, in its order: `224 × 224 cover, BGR, value × 1/255, − mean (…), ÷ std (…), channels first [N,C,H,W]`. */
export function preprocessingText({ image, reverseChannels, scale, mean, std, layout, dtype }: Preprocessing): string {
  const steps: string[] = []
  if (image) steps.push(imageText(image))
  if (reverseChannels) steps.push('channels reversed')
  if (scale !== undefined) steps.push(Math.abs(scale * 255 - 1) < 1e-6 ? 'value × 1/255' : `value × ${formatSignificant(scale)}`)
  if (mean) steps.push(`− mean (${list(mean)})`)
  if (std) steps.push(`÷ std (${list(std)})`)
  if (layout) steps.push(layoutText[layout])
  if (dtype) steps.push(`as ${dtype}`)
  return steps.length > 0 ? steps.join(', then ') : 'none: values are used as they are'
}

function imageText({ width, height, resize, shortSide, colour }: ImageSteps): string {
  const how = resize === 'short-side' ? `centre of shorter side ${shortSide ?? 'unset'}` : resize
  return `image to ${width} × ${height} (${how}${colour === 'grey' ? ', grey' : ''})`
}

function list(values: readonly number[]): string {
  const shown = values.slice(0, 4).map(formatSignificant).join(', ')
  return values.length > 4 ? `${shown}, … ${values.length} channels` : shown
}
