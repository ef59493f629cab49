import { normalizeAxes } from '../../onnx/shapes.ts'
import { FIXED, type Labels } from './channel-classes.ts'
import { type CouplingRule, type NodeCall, type SizeEntry, UNKNOWN_SHAPE } from './node-call.ts'

function concat(call: NodeCall): undefined {
  const indices = [...call.node.input.keys()]
  const rank = call.outputShape()?.length ?? call.shape(0)?.length
  const axis = rank === undefined ? undefined : call.axis(1, rank)
  if (indices.some((index) => call.elements(index))) concatElements(call, indices)
  if (!indices.some((index) => call.labelled(index))) return
  const axesOf = indices.map((index) => call.axes(index))
  if (rank === undefined || axis === undefined || axesOf.some((axes) => axes?.length !== rank)) return call.barrier(UNKNOWN_SHAPE)
  const output = Array.from({ length: rank }, (_, at) => (at === axis ? joined(call, indices, axis) : parallel(call, indices, at)))
  call.setAxes(output)
}

/** Labels one after the other; parts that are not ours are fixed. */
function joined(call: NodeCall, indices: readonly number[], axis: number): Labels | undefined {
  const parts = indices.map((index) => {
    const length = call.shape(index)?.[axis]
    return call.axes(index)?.[axis] ?? (typeof length === 'number' ? new Int32Array(length).fill(FIXED) : undefined)
  })
  if (!indices.some((index) => call.axes(index)?.[axis])) return undefined
  if (parts.some((part) => !part)) {
    for (const part of parts) call.freeze(part, 'joins it with a tensor of unknown length')
    return undefined
  }
  return Int32Array.from(parts.flatMap((part) => [...part!]))
}

/** An axis along which all inputs are equally long. */
function parallel(call: NodeCall, indices: readonly number[], axis: number): Labels | undefined {
  const labels = indices.map((index) => call.axes(index)?.[axis])
  const common = labels.find((entry) => entry)
  if (!common) return undefined
  for (const other of labels) {
    if (other?.length === common.length) call.classes.tieAll(common, other, `${call.title} joins it with a tensor that cannot shrink`)
    else call.freeze(common, 'joins it with a tensor that cannot shrink')
  }
  return common
}

/** Joins sizes that were read off shapes. */
function concatElements(call: NodeCall, indices: readonly number[]): void {
  const lists = indices.map((index) => {
    const length = call.shape(index)?.[0]
    return call.elements(index) ?? (typeof length === 'number' ? new Array<undefined>(length).fill(undefined) : undefined)
  })
  if (lists.some((list) => !list)) call.barrier('computes with the number of channels')
  else call.setElements(lists.flatMap((list) => [...list!]))
}

function split(call: NodeCall): undefined {
  const axes = call.axes(0)
  if (!call.labelled(0)) return
  const axis = axes && call.axis(0, axes.length)
  if (!axes || axis === undefined) return call.barrier(UNKNOWN_SHAPE)
  const labels = axes[axis]
  const parts = call.node.output.length
  if (!labels) {
    for (let part = 0; part < parts; part++) call.setAxes(axes, part)
    return
  }
  const given = call.list('split', 1)
  const chunk = Math.ceil(labels.length / parts)
  const sizes =
    given === 'absent' ? Array.from({ length: parts }, (_, part) => Math.max(0, Math.min(chunk, labels.length - part * chunk))) : given
  if (sizes === 'unknown' || sizes.length !== parts || sizes.reduce((sum, size) => sum + size, 0) !== labels.length)
    return call.barrier('splits in a way that cannot be followed')
  const ends = sizes.map((_, part) => sizes.slice(0, part + 1).reduce((sum, size) => sum + size, 0))
  const entries = sizes.map((size, part) => labels.slice(ends[part]! - size, ends[part]))
  for (const [part, entry] of entries.entries()) call.setAxes(axes.with(axis, entry), part)
  call.rewriteSizes(1, entries)
}

function slice(call: NodeCall): undefined {
  const [starts, ends] = [call.integers(1), call.integers(2)]
  const elements = call.elements(0)
  if (!call.labelled(0) && !elements) return
  const rank = elements ? 1 : call.axes(0)?.length
  const given = call.input(3) === '' ? starts?.map((_, index) => index) : call.integers(3)
  const axes = given && rank !== undefined ? normalizeAxes(given, rank) : undefined
  if (!axes || rank === undefined) return call.barrier('slices along axes that are not known')
  const steps = call.input(4) === '' ? axes.map(() => 1) : call.integers(4)
  if (elements) return sliceElements(call, elements, [starts?.[0], ends?.[0], steps?.[0]])
  const output = [...call.axes(0)!]
  const entries: { readonly starts: SizeEntry[]; readonly ends: SizeEntry[] } = { starts: [...(starts ?? [])], ends: [...(ends ?? [])] }
  let rewritten = false
  for (const [index, axis] of axes.entries()) {
    const labels = output[axis]
    if (!labels) continue
    const bounds = starts && ends && steps?.[index] === 1 ? sliceBounds(starts[index]!, ends[index]!, labels.length) : undefined
    if (!bounds || starts?.length !== axes.length || ends?.length !== axes.length) {
      call.freeze(labels, 'takes channels in a way that cannot be followed')
      output[axis] = undefined
      continue
    }
    output[axis] = labels.slice(...bounds)
    entries.starts[index] = labels.slice(0, bounds[0])
    entries.ends[index] = labels.slice(0, bounds[1])
    rewritten = true
  }
  if (rewritten) {
    call.rewriteSizes(1, entries.starts)
    call.rewriteSizes(2, entries.ends)
  }
  call.setAxes(output)
}

function sliceBounds(start: number, end: number, length: number): [number, number] {
  const from = Math.max(0, Math.min(length, start < 0 ? start + length : start))
  return [from, Math.max(from, Math.min(length, end < 0 ? end + length : end))]
}

function sliceElements(
  call: NodeCall,
  elements: readonly (Labels | undefined)[],
  [start, end, step]: readonly [number | undefined, number | undefined, number | undefined],
): undefined {
  if (start === undefined || end === undefined || step !== 1) return call.barrier('computes with the number of channels')
  call.setElements(elements.slice(...sliceBounds(start, end, elements.length)))
}

function gather(call: NodeCall): undefined {
  const elements = call.elements(0)
  const indices = call.integers(1)
  if (elements) {
    if (!indices) return call.barrier('computes with the number of channels')
    call.setElements(indices.map((index) => elements[index < 0 ? index + elements.length : index]))
  }
  if (call.labelled(1)) call.barrier('uses it as an index')
  if (!call.labelled(0)) return
  const [axes, indexShape] = [call.axes(0), call.shape(1)]
  const axis = axes && call.axis(0, axes.length)
  if (!axes || axis === undefined || !indexShape) return call.barrier(UNKNOWN_SHAPE)
  call.freeze(axes[axis], 'picks single channels')
  call.setAxes([...axes.slice(0, axis), ...indexShape.map(() => undefined), ...axes.slice(axis + 1)])
}

/** Operators that join tensors or take parts of them: offsets into label lists. */
export const joiningCouplingRules: Readonly<Record<string, CouplingRule>> = { Concat: concat, Split: split, Slice: slice, Gather: gather }
