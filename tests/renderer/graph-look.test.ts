import { describe, expect, it } from 'vitest'
import type { DrawnGraph } from '../../src/contract/analysis.ts'
import { nodeLook, slowestNodeMs, sqnrSteps } from '../../src/renderer/pages/compare/graph-look.ts'
import { placeNodes } from '../../src/renderer/pages/compare/graph-places.ts'

function graphOf(...nodes: Partial<DrawnGraph['nodes'][number]>[]): DrawnGraph {
  return {
    nodes: nodes.map((node, id) => ({ id, name: `n${id}`, op: 'Conv', layer: null, ms: null, precision: null, sqnrDb: null, ...node })),
    edges: nodes.slice(1).map((_, id) => [id, id + 1]),
    truncated: false,
  }
}

describe('nodeLook', () => {
  const [slow, quick, fused] = graphOf({ ms: 4, precision: 'int8', sqnrDb: 12 }, { ms: 1, precision: 'float32', sqnrDb: 40 }, {}).nodes
  if (!slow || !quick || !fused) throw new Error('three nodes were made')

  it('is stronger for what takes longer, on a scale that graphs share', () => {
    const slowest = slowestNodeMs([graphOf({ ms: 4 }), graphOf({ ms: 1 })])
    expect(slowest).toBe(4)
    expect(nodeLook(slow, 'time', slowest)?.percent).toBe(80)
    expect(nodeLook(quick, 'time', slowest)?.percent).toBe(43)
    expect(nodeLook(fused, 'time', slowest)).toBeNull()
    expect(nodeLook(slow, 'time', 0)).toBeNull()
  })

  it('has a colour for each precision, and steps for signal to noise', () => {
    expect(nodeLook(slow, 'precision', 4)?.color).not.toBe(nodeLook(quick, 'precision', 4)?.color)
    expect(nodeLook(slow, 'sqnr', 4)?.color).toBe(sqnrSteps[1]?.color)
    expect(nodeLook(quick, 'sqnr', 4)?.color).toBe(sqnrSteps[3]?.color)
    expect(nodeLook(fused, 'sqnr', 4)).toBeNull()
  })
})

describe('placeNodes', () => {
  it('gives every node a place of its own, consumers below producers, and handles, so that nothing is measured in the page', () => {
    const placed = placeNodes(graphOf({}, {}, {}))
    expect(placed.map(({ id }) => id)).toEqual(['0', '1', '2'])
    const ys = placed.map(({ position }) => position.y)
    expect(ys[0]).toBeLessThan(ys[1] ?? 0)
    expect(ys[1]).toBeLessThan(ys[2] ?? 0)
    expect(new Set(placed.map(({ position }) => `${position.x} ${position.y}`)).size).toBe(3)
    for (const { width, height, handles } of placed) {
      expect(width).toBeGreaterThan(0)
      expect(height).toBeGreaterThan(0)
      expect(handles).toHaveLength(2)
    }
  })
})
