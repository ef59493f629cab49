import { type Dim, elementsOf, type Shape } from '../../onnx/shapes.ts'
import { FIXED, type Labels } from './channel-classes.ts'
import type { Axes, CouplingRule, NodeCall, SizeEntry } from './node-call.ts'

/** Elements of a tensor whose labels are spelled out one by one when axes are merged; far above what lies behind real Flatten nodes. */
const MAX_MERGED = 2 ** 24

function reshape(call: NodeCall): undefined {
  const elements = call.elements(0)
  if (elements) call.setElements(elements)
  if (!call.labelled(0)) return
  const [axes, from, to] = [call.axes(0), call.shape(0), call.outputShape()]
  if (!axes || !from || !to) return call.barrier('gives a shape that is not known')
  const output = regroup(call, axes, from, to)
  const entries = targetEntries(call.int('allowzero', 0) === 0 ? from : [], to, output)
  if (!entries) {
    for (const labels of axes) call.freeze(labels, 'gives a shape that cannot be written down')
    return
  }
  if (output.some((labels) => labels)) call.rewriteSizes(1, entries)
  call.setAxes(output)
}

/** Flatten computes its shape itself. */
function flatten(call: NodeCall): undefined {
  if (!call.labelled(0)) return
  const [axes, from] = [call.axes(0), call.shape(0)]
  const at = call.int('axis', 1)
  if (!axes || !from) return call.barrier('has an input of unknown shape')
  const axis = at < 0 ? at + from.length : at
  const merged = [axes.slice(0, axis), axes.slice(axis)].map((part, index) => {
    const dims = index === 0 ? from.slice(0, axis) : from.slice(axis)
    return mergeAxes(call, part, dims)
  })
  call.setAxes(merged)
}

/** Labels of several axes laid out as one; `undefined` when nothing on it can go. */
function mergeAxes(call: NodeCall, axes: Axes, dims: Shape): Labels | undefined {
  const labelled = axes.flatMap((labels, axis) => (labels ? [{ labels, axis }] : []))
  if (labelled.length === 0) return undefined
  const sizes = dims.every((dim) => typeof dim === 'number') ? (dims as readonly number[]) : undefined
  const total = sizes?.reduce((product, dim) => product * dim, 1) ?? Number.POSITIVE_INFINITY
  if (labelled.length > 1 || !sizes || total > MAX_MERGED) {
    for (const { labels } of labelled) call.freeze(labels, 'merges it with axes of unknown length')
    return undefined
  }
  const { labels, axis } = labelled[0]!
  const inner = sizes.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  return Int32Array.from({ length: total }, (_, index) => labels[Math.floor(index / inner) % labels.length]!)
}

/** Labels after a reshape: axes that stay, axes that are merged, axes that are split. */
function regroup(call: NodeCall, axes: Axes, from: Shape, to: Shape): (Labels | undefined)[] {
  const output: (Labels | undefined)[] = to.map(() => undefined)
  const [front, back] = equalEnds(from, to)
  for (let axis = 0; axis < front; axis++) output[axis] = axes[axis]
  for (let axis = 1; axis <= back; axis++) output[to.length - axis] = axes[from.length - axis]
  let [i, j] = [front, front]
  const [endFrom, endTo] = [from.length - back, to.length - back]
  while (i < endFrom || j < endTo) {
    const [startI, startJ] = [i, j]
    const group = nextGroup(from, to, [i, j], [endFrom, endTo])
    if (!group) {
      for (const labels of axes.slice(i, endFrom)) call.freeze(labels, 'regroups it in a way that cannot be followed')
      break
    }
    ;[i, j] = group
    const flat = mergeAxes(call, axes.slice(startI, i), from.slice(startI, i))
    if (flat)
      for (const [index, labels] of splitAxis(call, flat, to.slice(startJ, j) as number[]).entries()) output[startJ + index] = labels
  }
  return output
}

/** How many axes are the same at the front and, after those, at the back. */
function equalEnds(from: Shape, to: Shape): [number, number] {
  const same = (a: Dim, b: Dim): boolean => a !== undefined && a === b
  const most = Math.min(from.length, to.length)
  let front = 0
  while (front < most && (same(from[front], to[front]) || sameByRest(from, to, front))) front++
  let back = 0
  while (back < most - front && same(from.at(-1 - back), to.at(-1 - back))) back++
  return [front, back]
}

/** One dimension of each is not known or a symbol, and as many elements lie behind: they must be the same (a batch N reshaped to 1 or to -1). */
function sameByRest(from: Shape, to: Shape, axis: number): boolean {
  if (typeof from[axis] === 'number' && typeof to[axis] === 'number') return false
  const [behind, after] = [elementsOf(from.slice(axis + 1)), elementsOf(to.slice(axis + 1))]
  return behind !== undefined && behind > 0 && behind === after
}

/** End of the shortest lists of axes with equal products, from `start` on. */
function nextGroup(
  from: Shape,
  to: Shape,
  [i, j]: readonly [number, number],
  [endFrom, endTo]: readonly [number, number],
): [number, number] | undefined {
  let [left, right] = [1, 1]
  let [atFrom, atTo] = [i, j]
  do {
    const takeFrom = atFrom < endFrom && (left <= right || atTo === endTo)
    const dim = takeFrom ? from[atFrom++] : atTo < endTo ? to[atTo++] : undefined
    if (typeof dim !== 'number' || dim < 1) return undefined
    if (takeFrom) left *= dim
    else right *= dim
    // A group without an axis on one side holds ones only: take what is there.
  } while (left !== right || (atFrom === i && atFrom < endFrom) || (atTo === j && atTo < endTo))
  return [atFrom, atTo]
}

/** One labelled axis as several: the one along which most classes stay apart carries them, indices at the same place of it are tied. */
function splitAxis(call: NodeCall, flat: Labels, dims: readonly number[]): (Labels | undefined)[] {
  const candidates = dims.flatMap((dim, axis) => (dim > 1 ? [axis] : []))
  if (candidates.length === 0) {
    call.freeze(flat, 'needs it to be one channel')
    return dims.map(() => undefined)
  }
  const scored = candidates.map((axis) => ({ axis, ties: countTies(call, flat, dims, axis), length: dims[axis]! }))
  scored.sort((a, b) => Number(a.ties > 0) - Number(b.ties > 0) || b.length - a.length)
  const { axis } = scored[0]!
  const [length, inner] = [dims[axis]!, innerSize(dims, axis)]
  const first = new Int32Array(length).fill(FIXED - 1)
  for (let index = 0; index < flat.length; index++) {
    const at = Math.floor(index / inner) % length
    if (first[at] === FIXED - 1) first[at] = flat[index]!
    else call.classes.tie(first[at]!, flat[index]!, `${call.title} needs parts of equal size`)
  }
  return dims.map((_, at) => (at === axis ? first : undefined))
}

function countTies(call: NodeCall, flat: Labels, dims: readonly number[], axis: number): number {
  const [length, inner] = [dims[axis]!, innerSize(dims, axis)]
  const first = new Map<number, number>()
  let ties = 0
  for (let index = 0; index < flat.length; index++) {
    const at = Math.floor(index / inner) % length
    const label = flat[index]!
    const name = label === FIXED ? FIXED : call.classes.find(label)
    const known = first.get(at)
    if (known === undefined) first.set(at, name)
    else if (known !== name) ties++
  }
  return ties
}

function innerSize(dims: readonly number[], axis: number): number {
  return dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
}

/** The shape to write (`from` is empty where 0 does not stand for "as it is"): numbers, kept counts, 0 for a dimension that stays in its place, -1 for one that is not known. */
function targetEntries(from: Shape, to: Shape, output: readonly (Labels | undefined)[]): SizeEntry[] | undefined {
  let free = 0
  const entries = to.map((dim, axis): SizeEntry => {
    const labels = output[axis]
    if (labels) return labels
    if (typeof dim === 'number' && dim > 0) return dim
    if (dim !== undefined && dim === from[axis]) return 0
    free++
    return -1
  })
  return free <= 1 ? entries : undefined
}

/** Resize and Upsample: channels pass when their number stays; sizes are written anew. */
function resize(call: NodeCall): undefined {
  if (!call.labelled(0)) return
  const [axes, from, to] = [call.axes(0), call.shape(0), call.outputShape()]
  if (!axes || !from || to?.length !== from.length) return call.barrier('gives a shape that is not known')
  const output = axes.map((labels, axis) => {
    if (!labels || from[axis] === to[axis]) return labels
    call.freeze(labels, 'changes its number of channels')
    return undefined
  })
  const given = call.ints('axes')
  const named = given?.map((axis) => (axis < 0 ? axis + axes.length : axis)) ?? axes.map((_, axis) => axis)
  const concerned = named.map((axis) => output[axis])
  if (call.input(3) !== '' && concerned.some((labels) => labels)) {
    const elements = call.elements(3)
    const values = call.integers(3)
    // Sizes read off the tensor itself follow it.
    const follows = elements !== undefined && concerned.every((labels, index) => labels === elements[index])
    if (values?.length === named.length)
      call.rewriteSizes(
        3,
        named.map((axis, index) => output[axis] ?? values[index]!),
      )
    else if (!follows) return call.barrier('is given a size that is computed while the model runs')
  } else for (const labels of call.elements(3) ?? []) call.freeze(labels, 'computes with the number of channels')
  call.setAxes(output)
}

export const reshapeCouplingRules: Readonly<Record<string, CouplingRule>> = {
  Reshape: reshape,
  Flatten: flatten,
  Resize: resize,
  Upsample: resize,
}
