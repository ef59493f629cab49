import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph, intAttribute, intsAttribute, orderNodes, stringAttribute, subgraphs } from '../../../src/core/onnx/graph.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { branching, classifier } from './sample-models.ts'

describe('looking things up', () => {
  test('producers, consumers and constants', () => {
    const graph = new Graph(classifier())
    expect(graph.producer('relu')?.opType).toBe('Relu')
    expect(graph.producer('x')).toBeUndefined()
    expect(graph.consumers('conv').map(({ opType }) => opType)).toEqual(['Relu'])
    expect(graph.consumers('nothing')).toEqual([])
    expect(graph.constant('w')?.dims).toEqual([4n, 1n, 3n, 3n])
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(graph.isGraphOutput('y')).toBe(true)
    expect(graph.opset).toBe(17)
  })

  test('a node that holds sub-graphs reads what they capture', () => {
    const graph = new Graph(branching())
    expect(graph.consumers('x')).toEqual([graph.nodes[0]])
    expect(subgraphs(graph.nodes[0]!).map(({ name }) => name)).toEqual(['then_branch', 'else_branch'])
  })

  test('sub-graphs are graphs of their own that read the constants around them', () => {
    const inner = (name: string, weight: string) => ({
      ...makeModel({
        nodes: [makeNode('Mul', ['x', weight], [`${name}_out`])],
        inputs: [],
        outputs: [makeValueInfo(`${name}_out`, 'float32', [1])],
      }).graph!,
      name,
    })
    const model = makeModel({
      nodes: [makeNode('If', ['c'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', [1]), makeValueInfo('c', 'bool', [])],
      outputs: [makeValueInfo('y', 'float32', [1])],
      initializers: [makeTensor('w', 'float32', [1], Float32Array.of(7))],
    })
    const branch = (name: string, graph: ReturnType<typeof inner>) =>
      Object.assign(makeNode('If', [], [], { [name]: 0 }).attribute[0]!, { type: 5, g: graph })
    model.graph!.node[0]!.attribute = [branch('then_branch', inner('then', 'w')), branch('else_branch', inner('else', 'x'))]
    const [main, then, otherwise, ...more] = new Graph(model).scopes()
    expect(more).toEqual([])
    expect([main?.parent, then?.parent, otherwise?.parent]).toEqual([undefined, main, main])
    expect(then?.nodes.map(({ opType }) => opType)).toEqual(['Mul'])
    expect(then?.constant('w')).toBe(main?.initializer('w'))
    expect(then?.initializer('w')).toBeUndefined()
    expect(otherwise?.constant('x')).toBeUndefined()
    // A name made in one graph is taken in the others: what an outer graph makes may be read by an inner one.
    expect([then?.freshName('n'), otherwise?.freshName('n'), main?.freshName('n')]).toEqual(['n', 'n_1', 'n_2'])
    expect(main?.freshName('then_out')).toBe('then_out_1')
  })

  test('an initializer that is an input too can be overridden, but not before IR version 4', () => {
    const make = (irVersion: bigint) => {
      const model = makeModel({
        nodes: [makeNode('Add', ['x', 'w'], ['y'])],
        inputs: [makeValueInfo('x', 'float32', [1]), makeValueInfo('w', 'float32', [1])],
        outputs: [makeValueInfo('y', 'float32', [1])],
        initializers: [makeTensor('w', 'float32', [1], new Float32Array(1))],
      })
      model.irVersion = irVersion
      return new Graph(model)
    }
    expect(make(8n).constant('w')).toBeUndefined()
    expect(make(3n).constant('w')).toBeDefined()
    expect(make(8n).initializer('w')).toBeDefined()
    expect(make(8n).inputs.map(({ name }) => name)).toEqual(['x'])
  })

  test('the value of a Constant node is constant', () => {
    const model = makeModel({
      nodes: [makeNode('Constant', [], ['c'], { value: makeInt64('', [2], [3, 4]) }), makeNode('Reshape', ['x', 'c'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', [12])],
      outputs: [makeValueInfo('y', 'float32', [3, 4])],
    })
    expect(new Graph(model).constant('c')?.dims).toEqual([2n])
  })

  test('attributes and their defaults', () => {
    const [conv] = new Graph(classifier()).nodes
    expect(intsAttribute(conv!, 'pads')).toEqual([1, 1, 1, 1])
    expect(intsAttribute(conv!, 'strides')).toBeUndefined()
    expect(intAttribute(conv!, 'group', 1)).toBe(1)
    expect(stringAttribute(conv!, 'auto_pad', 'NOTSET')).toBe('NOTSET')
  })

  test('two writers of one tensor', () => {
    const model = classifier()
    model.graph!.node[1]!.output = ['conv']
    expect(() => new Graph(model)).toThrow(
      expect.objectContaining({ code: 'MODEL_INVALID', message: expect.stringMatching(/"conv" is written by two nodes/) }),
    )
  })
})

describe('editing', () => {
  test('inserting, rewiring and removing nodes keeps the look-ups', () => {
    const graph = new Graph(classifier())
    const [, relu, pool] = graph.nodes
    graph.insertNodes([makeNode('Neg', ['relu'], ['neg'])], pool)
    graph.replaceInput(pool!, 'relu', 'neg')
    expect(graph.nodes.map(({ opType }) => opType).slice(0, 4)).toEqual(['Conv', 'Relu', 'Neg', 'MaxPool'])
    expect(graph.consumers('relu').map(({ opType }) => opType)).toEqual(['Neg'])
    expect(graph.consumers('neg')).toEqual([pool])
    graph.removeNodes([relu!])
    expect(graph.producer('relu')).toBeUndefined()
  })

  test('unused initializers go, with the inputs that named them', () => {
    const model = classifier()
    model.graph!.initializer.push(makeInt64('extra', [], [1]))
    model.graph!.input.push(makeValueInfo('extra', 'int64', []))
    const graph = new Graph(model)
    expect(graph.removeUnusedInitializers()).toEqual(['extra'])
    expect(model.graph!.input.map(({ name }) => name)).toEqual(['x'])
    expect(graph.removeUnusedInitializers()).toEqual([])
  })

  test('fresh names are never taken twice', () => {
    const graph = new Graph(classifier())
    expect([graph.freshName('conv'), graph.freshName('conv'), graph.freshName('new')]).toEqual(['conv_1', 'conv_2', 'new'])
  })

  test('operator sets are added and raised, never lowered', () => {
    const graph = new Graph(classifier())
    graph.requireOpset('com.microsoft', 1)
    graph.requireOpset('ai.onnx', 13)
    expect([graph.opsetOf('com.microsoft'), graph.opset]).toEqual([1, 17])
    graph.requireOpset('', 21)
    expect(graph.opset).toBe(21)
  })
})

describe('order', () => {
  test('nodes already in order stay where they are', () => {
    const { node } = classifier().graph!
    expect(orderNodes(node)).toEqual(node)
  })

  test('any shuffled chain of nodes is put in order', () => {
    const wiring = fc.array(fc.nat(), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(wiring, fc.infiniteStream(fc.nat()), (parents, shuffle) => {
        const nodes = parents.map((parent, index) => makeNode('Relu', [index === 0 ? 'x' : `t${parent % index}`], [`t${index}`]))
        const shuffled = [...nodes].map((node) => ({ node, key: shuffle.next().value })).sort((a, b) => Number(a.key) - Number(b.key))
        const sorted = orderNodes(shuffled.map(({ node }) => node))!
        const made = new Set(['x'])
        for (const node of sorted) {
          expect(made).toContain(node.input[0])
          made.add(node.output[0]!)
        }
        expect(sorted).toHaveLength(nodes.length)
      }),
    )
  })

  test('a cycle has no order', () => {
    const graph = new Graph(classifier())
    graph.replaceInput(graph.nodes[0]!, 'x', 'y')
    expect(() => graph.sortTopologically()).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
  })
})
