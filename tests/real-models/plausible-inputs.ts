import type { NamedTensors, RuntimeTensor } from '../../src/core/inference-runtime.ts'
import { type RandomSource, seededRandom } from '../../src/core/statistics/seeded-random.ts'
import type { CalibrationFeeds } from '../../src/engine/optimize/calibration-feeds.ts'

/** A picture as a network takes it: `channels` planes of `height` × `width` values, about −1 to 1. */
interface Picture {
  readonly layout: 'nchw' | 'nhwc'
  readonly height: number
  readonly width: number
}

/** Inputs that look enough like what a model was trained on to reach its activations' usual ranges; fixed by their seed. */
export function plausibleFeeds(count: number, make: (random: RandomSource) => NamedTensors): CalibrationFeeds {
  const random = seededRandom(2024)
  const feeds = Array.from({ length: count }, () => make(random))
  return { feeds: count, samples: count, read: async (index) => feeds[index]! }
}

/** Neighbouring pixels of photographs are alike and edges are sharp: a few soft waves, and a few discs of one colour on top. */
export function photoLike(random: RandomSource, picture: Picture): RuntimeTensor {
  const waves = Array.from({ length: 6 }, () => ({
    across: (random.uniform() - 0.5) * 12,
    down: (random.uniform() - 0.5) * 12,
    phase: random.uniform() * 6.3,
    colour: threeNumbers(random),
  }))
  const discs = Array.from({ length: 8 }, () => ({
    x: random.uniform(),
    y: random.uniform(),
    radius: 0.02 + random.uniform() * 0.2,
    colour: threeNumbers(random),
  }))
  return paint(picture, (x, y, channel) => {
    const disc = discs.find((entry) => (entry.x - x) ** 2 + (entry.y - y) ** 2 < entry.radius ** 2)
    if (disc) return disc.colour[channel]!
    return waves.reduce((sum, { across, down, phase, colour }) => sum + Math.sin(across * x + down * y + phase) * colour[channel]! * 0.4, 0)
  })
}

/** Dark upright and level strokes in a row on light ground. */
export function textLike(random: RandomSource, picture: Picture): RuntimeTensor {
  const pitch = 0.5 * (picture.height / picture.width)
  const strokes = Array.from({ length: Math.ceil(1 / pitch) }, () => ({ upright: random.uniform(), level: 0.25 + random.uniform() * 0.5 }))
  const [ground, ink] = [0.6 + random.uniform() * 0.4, -1 + random.uniform() * 0.4]
  return paint(picture, (x, y) => {
    if (y < 0.2 || y > 0.8) return ground
    const { upright, level } = strokes[Math.floor(x / pitch)]!
    const inside = (x / pitch) % 1
    return Math.abs(inside - upright) < 0.15 || (inside < 0.8 && Math.abs(y - level) < 0.06) ? ink : ground
  })
}

/** A voice-like tone with its overtones that swells and fades, and a little noise: [1, samples] at 16 kHz. */
export function speechLike(random: RandomSource, samples: number): RuntimeTensor {
  const pitch = 90 + random.uniform() * 200
  const loudness = random.uniform() * 0.3
  const values = Float32Array.from({ length: samples }, (_, at) => {
    const turn = (2 * Math.PI * pitch * at) / 16_000
    const tone = [1, 2, 3, 4, 5].reduce((sum, overtone) => sum + Math.sin(turn * overtone) / overtone, 0)
    return loudness * tone * Math.sin((Math.PI * at) / samples) + (random.uniform() - 0.5) * 0.01
  })
  return { type: 'float32', dims: [1, samples], values }
}

function threeNumbers(random: RandomSource): number[] {
  return [0, 1, 2].map(() => random.uniform() * 2 - 1)
}

function paint({ layout, height, width }: Picture, colourAt: (x: number, y: number, channel: number) => number): RuntimeTensor {
  const values = new Float32Array(3 * height * width)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < 3; channel++) {
        const pixel = row * width + column
        const place = layout === 'nchw' ? channel * height * width + pixel : pixel * 3 + channel
        values[place] = Math.max(-1, Math.min(1, colourAt(column / width, row / height, channel)))
      }
    }
  }
  return { type: 'float32', dims: layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3], values }
}
