import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GraphToLayOut, layoutGraph } from '../../../src/core/graph-drawing/layout-graph.ts'

function graph(count: number, edges: readonly (readonly [number, number])[]): GraphToLayOut {
  return { nodes: Array.from({ length: count }, (_, id) => ({ id })), edges }
}

function expectOneNodePerCell(cells: readonly { readonly x: number; readonly y: number }[]): void {
  expect(new Set(cells.map(({ x, y }) => `${x} ${y}`)).size).toBe(cells.length)
}

const acyclic = fc.integer({ min: 1, max: 60 }).chain((count) =>
  fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 150 }).map((pairs) =>
    graph(
      count,
      pairs.filter(([a, b]) => a !== b).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
    ),
  ),
)

describe('layoutGraph', () => {
  it('puts a chain into one lane', () => {
    const cells = layoutGraph(
      graph(4, [
        [0, 1],
        [1, 2],
        [2, 3],
      ]),
    )
    expect(cells).toEqual([
      { x: 0, y: 0 },
      { x: 0, y: 1 },
      { x: 0, y: 2 },
      { x: 0, y: 3 },
    ])
  })

  it('keeps the lane of a skip connection free and comes back where both join', () => {
    const cells = layoutGraph(
      graph(4, [
        [0, 1],
        [1, 2],
        [2, 3],
        [0, 3],
      ]),
    )
    expect(cells).toEqual([
      { x: 0, y: 0 },
      { x: 1, y: 1 },
      { x: 1, y: 2 },
      { x: 0, y: 3 },
    ])
  })

  it('puts what only feeds one node right above it, beside the chain', () => {
    // 0 → 1 → 2 → 3, with 4 → 5 feeding 3
    const cells = layoutGraph(
      graph(6, [
        [0, 1],
        [1, 2],
        [2, 3],
        [4, 5],
        [5, 3],
      ]),
    )
    expect(cells[5]).toEqual({ x: 1, y: 2 })
    expect(cells[4]).toEqual({ x: 1, y: 1 })
    expect(cells[3]).toEqual({ x: 0, y: 3 })
  })

  it('takes ids as they come and passes over edges that lead nowhere', () => {
    const cells = layoutGraph({
      nodes: [{ id: 70 }, { id: -3 }],
      edges: [
        [70, -3],
        [70, 70],
        [1, 70],
        [-3, 9],
      ],
    })
    expect(cells).toEqual([
      { x: 0, y: 0 },
      { x: 0, y: 1 },
    ])
    expect(layoutGraph({ nodes: [], edges: [] })).toEqual([])
  })

  it('places every node of a cyclic graph', () => {
    const cells = layoutGraph(
      graph(3, [
        [0, 1],
        [1, 2],
        [2, 0],
      ]),
    )
    expect(cells.map(({ y }) => y)).toEqual([0, 1, 2])
  })

  it('leads every edge down, gives each node a cell of its own and wastes no layer', () => {
    fc.assert(
      fc.property(acyclic, (given) => {
        const cells = layoutGraph(given)
        expectOneNodePerCell(cells)
        for (const [from, to] of given.edges) expect(cells[to]!.y).toBeGreaterThan(cells[from]!.y)
        const layers = new Set(cells.map(({ y }) => y))
        expect(Math.max(...layers) + 1).toBe(layers.size)
        expect(Math.min(...cells.map(({ x }) => x))).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it('runs no long edge through a node: its lane is free down to the layer above the consumer', () => {
    fc.assert(
      fc.property(acyclic, (given) => {
        const cells = layoutGraph(given)
        for (const [from, to] of given.edges) {
          const [a, b] = [cells[from]!, cells[to]!]
          const between = cells.filter(({ x, y }) => x === a.x && y > a.y && y < b.y)
          expect(between).toEqual([])
        }
      }),
    )
  })

  it('does not depend on the numbering beyond the order of nodes', () => {
    fc.assert(
      fc.property(acyclic, ({ nodes, edges }) => {
        const renumbered = {
          nodes: nodes.map(({ id }) => ({ id: 1000 - 3 * id })),
          edges: edges.map(([a, b]): [number, number] => [1000 - 3 * a, 1000 - 3 * b]),
        }
        expect(layoutGraph(renumbered)).toEqual(layoutGraph({ nodes, edges }))
      }),
    )
  })

  it('lays out 20,000 nodes: a deep net with nested skips, and one that is a single wide layer', () => {
    const count = 20_000
    const deep = graph(
      count,
      Array.from({ length: count - 1 }, (_, at): [number, number][] => [
        [at, at + 1],
        [at, Math.min(count - 1, at + 40)],
        [at, count - 1],
      ]).flat(),
    )
    const wide = graph(
      count,
      Array.from({ length: count - 1 }, (_, at): [number, number] => [at, count - 1]),
    )
    expectOneNodePerCell(layoutGraph(deep))
    const cells = layoutGraph(wide)
    expectOneNodePerCell(cells)
    expect(cells[count - 1]).toEqual({ x: 0, y: 1 })
  })
})
