import type { SeededRandom } from './seeded-random.ts'

/** How training images are varied, so that the network sees each of them in many forms. */
export interface Augmentation {
  /** Largest shift in pixels, in each direction; what comes in from outside is black. */
  readonly maxShift: number
  /** Mirror half of the images left to right. */
  readonly flip: boolean
}

/**
 * Copies one grey image into a batch, shifted and mirrored at random, scaled from 0..255 to 0..1.
 *
 * @param source pixels of all images, one after the other
 * @param target the batch; the image is written at `targetOffset`, which must hold zeros
 */
export function copyVaried(
  source: Uint8Array,
  sourceOffset: number,
  target: Float32Array,
  targetOffset: number,
  size: { readonly height: number; readonly width: number },
  augmentation: Augmentation,
  random: SeededRandom,
): void {
  const { height, width } = size
  const shift = () => random.below(2 * augmentation.maxShift + 1) - augmentation.maxShift
  const [down, right] = [shift(), shift()]
  const mirrored = augmentation.flip && random.uniform() < 0.5
  for (let row = Math.max(0, down); row < Math.min(height, height + down); row++) {
    for (let column = Math.max(0, right); column < Math.min(width, width + right); column++) {
      const from = mirrored ? width - 1 - (column - right) : column - right
      target[targetOffset + row * width + column] = (source[sourceOffset + (row - down) * width + from] as number) / 255
    }
  }
}
