import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StatisticsSum, statisticsAxis } from '../../../src/core/datasets/array-statistics.ts'
import { differenceHash } from '../../../src/core/datasets/difference-hash.ts'
import { findPairs } from '../../../src/core/datasets/equal-samples.ts'
import { brightnessOf, pictureLayout, shownRange, toPicture } from '../../../src/core/datasets/sample-picture.ts'
import { splitRows } from '../../../src/core/datasets/split-rows.ts'
import { floatToHalf } from '../../../src/core/float16.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import '../../fuzz-seed.ts'

describe('statistics', () => {
  test.each<[number[], 'channels-first' | undefined, number | null]>([
    [[9, 5], undefined, 1],
    [[9, 5000], undefined, null],
    [[9, 8, 8, 3], undefined, 3],
    [[9, 3, 8, 8], undefined, 1],
    [[9, 3, 8, 3], 'channels-first', 1],
    [[9, 28, 28], undefined, null],
    [[9], undefined, null],
  ])('of %j run along axis %j', (shape, stored, axis) => {
    expect(statisticsAxis(shape, stored)).toBe(axis)
  })

  test('of bytes and of numbers are the same, in whatever blocks they come', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 12, maxLength: 12 }), { minLength: 1, maxLength: 6 }), (blocks) => {
        const [bytes, floats, halves] = (['uint8', 'float32', 'float16'] as const).map(
          (type) => new StatisticsSum(type, [0, 2, 2, 3], 3),
        ) as [StatisticsSum, StatisticsSum, StatisticsSum]
        for (const block of blocks) {
          bytes.add(block)
          floats.add(Float32Array.from(block))
          halves.add(Uint16Array.from(block, floatToHalf))
        }
        const channel = blocks.flatMap((block) => Array.from(block).filter((_, index) => index % 3 === 1))
        const mean = channel.reduce((sum, value) => sum + value, 0) / channel.length
        const variance = channel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / channel.length
        for (const sum of [bytes, floats, halves]) {
          const found = sum.result()
          expect(found.mean[1]).toBeCloseTo(mean, 9)
          expect(found.std[1]).toBeCloseTo(Math.sqrt(variance), 9)
          expect([found.min[1], found.max[1]]).toEqual([Math.min(...channel), Math.max(...channel)])
        }
      }),
      { numRuns: 50 },
    )
  })

  test('far from zero lose no digits', () => {
    const sum = new StatisticsSum('float64', [0], null)
    for (const value of [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]) sum.add(Float64Array.of(value))
    // Wikipedia, "Algorithms for calculating variance": the sample variance of these is 30, of the whole 22.5.
    expect(sum.result()).toEqual({ mean: [1e9 + 10], std: [Math.sqrt(22.5)], min: [1e9 + 4], max: [1e9 + 16] })
  })

  test('of the largest doubles are finite: they are stored as JSON', () => {
    const sum = new StatisticsSum('float64', [0], null)
    for (const value of [1.7e308, 1.7e308, -1.7e308]) sum.add(Float64Array.of(value, value))
    expect(Object.values(sum.result()).flat().every(Number.isFinite)).toBe(true)
  })
})

describe('the difference hash', () => {
  test('has a bit for every cell that is brighter than its left neighbour', () => {
    // 9 × 8 cells of one pixel: the first row rises, all others fall.
    const picture = Float32Array.from({ length: 72 }, (_, index) => (index < 9 ? index * 20 : (9 - (index % 9)) * 20))
    expect(differenceHash(picture, 9, 8, 255)).toEqual([0xff000000, 0])
  })

  test('stays when the picture is larger or brighter, and is 0 for a single tone', () => {
    const shade = (x: number, y: number) => 100 + 60 * Math.sin(x * 5 + y * 3)
    const picture = (size: number, offset: number) =>
      Float32Array.from({ length: size * size }, (_, index) => shade((index % size) / size, Math.floor(index / size) / size) + offset)
    expect(differenceHash(picture(72, 0), 72, 72, 255)).toEqual(differenceHash(picture(144, 20), 144, 144, 255))
    expect(differenceHash(new Uint8Array(100).fill(7), 10, 10, 255)).toEqual([0, 0])
  })

  test('exists for the smallest pictures', () => {
    expect(differenceHash(Uint8Array.of(0, 255), 2, 1, 255)).not.toEqual([0, 0])
  })
})

const bitsBetween = (a: number, b: number) => [...((a ^ b) >>> 0).toString(2)].filter((bit) => bit === '1').length

describe('pairs', () => {
  test('are those that a comparison of all with all finds', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff })
    const base = fc.tuple(word, word)
    const flips = fc.array(fc.nat(63), { maxLength: 3 })
    const rows = fc.array(fc.record({ sha: fc.nat(12), of: fc.nat(2), flips }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(base, { minLength: 3, maxLength: 3 }), rows, rows, (bases, one, other) => {
        const hashes = (list: typeof one) =>
          Uint32Array.from(
            list.flatMap(({ sha, of, flips: bits }) => {
              const words = [...(bases[of] as [number, number])] as [number, number]
              for (const bit of bits) words[bit >> 5] = ((words[bit >> 5] as number) ^ (1 << (bit & 31))) >>> 0
              return [sha, sha, ...words]
            }),
          )
        const [a, b] = [hashes(one), hashes(other)]
        const row = (list: Uint32Array, index: number) =>
          list.subarray(4 * index, 4 * index + 4) as unknown as [number, number, number, number]
        const isEqual = (x: Uint32Array, i: number, y: Uint32Array, j: number) =>
          row(x, i)[0] === row(y, j)[0] && row(x, i)[1] === row(y, j)[1]
        const isAlike = (x: Uint32Array, i: number, y: Uint32Array, j: number) => {
          const [p, q] = [row(x, i), row(y, j)]
          const pictures = (p[2] !== 0 || p[3] !== 0) && (q[2] !== 0 || q[3] !== 0)
          return pictures && bitsBetween(p[2], q[2]) + bitsBetween(p[3], q[3]) <= 2
        }
        const count = (x: Uint32Array, y: Uint32Array) => {
          let [equal, similar] = [0, 0]
          const isCopy = (list: Uint32Array, index: number) =>
            Array.from({ length: index }, (_, before) => before).some((before) => isEqual(list, before, list, index))
          for (let j = 0; j < y.length / 4; j++) {
            const candidates = Array.from({ length: x === y ? j : x.length / 4 }, (_, index) => index)
            if (candidates.some((i) => isEqual(x, i, y, j))) equal++
            else if (candidates.some((i) => isAlike(x, i, y, j) && (x !== y || !isCopy(x, i)))) similar++
          }
          return { equal, similar }
        }
        expect(findPairs(a, b, 5)).toMatchObject(count(a, b))
        expect(findPairs(a, a, 5)).toMatchObject(count(a, a))
      }),
      { numRuns: 200 },
    )
  })

  test('come with examples of both kinds', () => {
    const hashes = Uint32Array.of(1, 1, 0xf0, 0, 1, 1, 0xf0, 0, 2, 2, 0xf1, 0, 3, 3, 0xff00, 0)
    expect(findPairs(hashes, hashes, 10)).toEqual({
      equal: 1,
      similar: 1,
      examples: [
        { indexA: 0, indexB: 1, kind: 'equal' },
        { indexA: 0, indexB: 2, kind: 'similar' },
      ],
    })
  })

  test('of 100,000 pictures that all look the same are found without comparing all with all', () => {
    const hashes = new Uint32Array(400_000)
    for (let row = 0; row < 100_000; row++) hashes.set([row, 0, 0xabcdef, row & 1], 4 * row)
    expect(findPairs(hashes, hashes, 3)).toMatchObject({ equal: 0, similar: 99_999 })
  })
})

describe('a split', () => {
  test('deals every sample once, keeps the shares of classes, and depends on the seed alone', () => {
    const shares = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 4 })
    fc.assert(
      fc.property(shares, fc.array(fc.nat(3), { minLength: 60, maxLength: 200 }), fc.nat(1000), (weights, classes, seed) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        const parts = weights.map((weight, index) => ({ name: `p${index}`, share: weight / total }))
        const labels = Int32Array.from(classes)
        const made = splitRows(labels.length, parts, labels, seededRandom(seed))
        expect(splitRows(labels.length, parts, labels, seededRandom(seed))).toEqual(made)
        expect([...made.flatMap((rows) => [...rows])].sort((a, b) => a - b)).toEqual([...labels.keys()])
        made.forEach((rows, part) => {
          expect([...rows]).toEqual([...rows].sort((a, b) => a - b))
          const share = parts[part]?.share as number
          expect(Math.abs(rows.length - share * labels.length)).toBeLessThanOrEqual(weights.length)
          for (const label of new Set(labels)) {
            const own = [...rows].filter((row) => labels[row] === label).length
            const all = labels.filter((other) => other === label).length
            expect(Math.abs(own - share * all)).toBeLessThan(weights.length)
          }
        })
      }),
      { numRuns: 60 },
    )
  })

  test('may leave samples out', () => {
    const parts = [
      { name: 'a', share: 0.5 },
      { name: 'b', share: 0.25 },
    ]
    expect(splitRows(100, parts, undefined, seededRandom(1)).map(({ length }) => length)).toEqual([50, 25])
  })

  test('is refused where it cannot be', () => {
    const part = (share: number) => ({ name: 'p', share })
    expect(() => splitRows(10, [part(0.8), part(0.3)], undefined, seededRandom(1))).toThrow(/add up to 1\.1, at most 1/)
    expect(() => splitRows(3, [part(0.01), part(0.9)], undefined, seededRandom(1))).toThrow(
      /The part "p" would be empty: there are 3 samples/,
    )
    expect(splitRows(10, [part(0.7), part(0.2), part(0.1)], undefined, seededRandom(1)).map(({ length }) => length)).toEqual([7, 2, 1])
  })
})

describe('a sample as a picture', () => {
  test.each<[string, number[], object | undefined]>([
    ['uint8', [9, 28, 20], { width: 20, height: 28, channels: 1 }],
    ['uint8', [9, 28, 20, 3], { width: 20, height: 28, channels: 3, channelsFirst: false }],
    ['float32', [9, 1, 28, 20], { width: 20, height: 28, channels: 1, channelsFirst: true }],
    ['float32', [9, 3, 16, 3], undefined],
    ['float32', [9, 52], undefined],
    ['float32', [9, 100, 4], undefined],
    ['int64', [9, 28, 28], undefined],
  ])('%s %j', (type, shape, expected) => {
    const found = pictureLayout(type, shape)
    if (expected) expect(found).toMatchObject(expected)
    else expect(found).toBeUndefined()
  })

  test('is shown in the range it has', () => {
    expect(shownRange([0, 0.5], false)).toEqual({ black: 0, white: 1 })
    expect(shownRange([0, 200], false)).toEqual({ black: 0, white: 255 })
    expect(shownRange([-2, 2], false)).toEqual({ black: -2, white: 2 })
  })

  test('is shrunk by means, colours kept apart', () => {
    const layout = { width: 2, height: 2, channels: 3 as const, channelsFirst: true }
    const values = [0, 10, 20, 30, 0, 0, 0, 100, 255, 255, 255, 255]
    expect([...toPicture(values, layout, { black: 0, white: 255 }, 1).rgba]).toEqual([15, 25, 255, 255])
    expect(toPicture(values, layout, { black: 0, white: 255 }, 96)).toMatchObject({ width: 2, height: 2 })
    expect([...(brightnessOf(values, layout) as Float32Array)].map(Math.round)).toEqual([29, 32, 35, 97])
  })
})
