import { describe, expect, it } from 'vitest'
import { speedAgainstFirst, type TimedCell } from '../../../src/core/comparison/speed-against-first.ts'

const cell = (modelId: string, deviceId: string, p50Ms: number | null, p50Ci: TimedCell['p50Ci'] = null): TimedCell => ({
  modelId,
  deviceId,
  p50Ms,
  p50Ci,
})

describe('speedAgainstFirst', () => {
  const cells = [
    cell('float', 'pi', 10, [9, 12]),
    cell('int8', 'pi', 4, [3, 5]),
    cell('float', 'orin', null),
    cell('int8', 'orin', 2, [2, 2]),
  ]

  it('compares on the same device, with ends that hold when both intervals do', () => {
    expect(speedAgainstFirst(cells[1]!, cells, 'float')).toEqual({ ratio: 2.5, interval: [9 / 5, 12 / 3] })
    expect(speedAgainstFirst(cell('int8', 'pi', 4), cells, 'float')).toEqual({ ratio: 2.5, interval: null })
  })

  it('has nothing to say of the first build, and where something was not measured', () => {
    for (const [one, first] of [
      [cells[0]!, 'float'],
      [cells[3]!, 'float'],
      [cells[1]!, 'gone'],
      [cells[2]!, 'int8'],
    ] as const)
      expect(speedAgainstFirst(one, cells, first)).toBeNull()
  })
})
