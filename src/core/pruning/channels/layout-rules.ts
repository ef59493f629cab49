import { normalizeAxes } from '../../onnx/shapes.ts'
import { type CouplingRule, type NodeCall, UNKNOWN_SHAPE } from './node-call.ts'

function transpose(call: NodeCall): undefined {
  const axes = call.axes(0)
  if (!axes) return call.barrier(UNKNOWN_SHAPE)
  const order = normalizeAxes(call.ints('perm') ?? axes.map((_, axis) => axes.length - 1 - axis), axes.length)
  if (order?.length !== axes.length) return call.barrier(UNKNOWN_SHAPE)
  call.setAxes(order.map((axis) => axes[axis]))
}

function squeeze(call: NodeCall): undefined {
  const elements = call.elements(0)
  if (elements) call.setElements(elements)
  const axes = call.axes(0)
  const given = call.list('axes', 1)
  const shape = call.shape(0)
  if (!call.labelled(0)) return
  const gone =
    given === 'absent'
      ? shape?.flatMap((dim, axis) => (dim === 1 ? [axis] : []))
      : given === 'unknown'
        ? undefined
        : normalizeAxes(given, axes?.length ?? 0)
  if (!axes || !gone || (given === 'absent' && shape?.some((dim) => typeof dim !== 'number'))) return call.barrier(UNKNOWN_SHAPE)
  for (const axis of gone) call.freeze(axes[axis], 'needs it to be one channel')
  call.setAxes(axes.filter((_, axis) => !gone.includes(axis)))
}

function unsqueeze(call: NodeCall): undefined {
  const elements = call.elements(0)
  if (elements) call.setElements(elements)
  if (!call.labelled(0)) return
  const axes = call.axes(0)
  const given = call.list('axes', 1)
  const added = axes && typeof given !== 'string' ? normalizeAxes(given, axes.length + given.length) : undefined
  if (!axes || !added) return call.barrier(UNKNOWN_SHAPE)
  const rest = [...axes]
  call.setAxes(Array.from({ length: axes.length + added.length }, (_, axis) => (added.includes(axis) ? undefined : rest.shift())))
}

function depthToSpace(call: NodeCall): undefined {
  if (!call.labelled(0)) return
  const axes = call.axes(0)
  const labels = axes?.[1]
  const copies = call.int('blocksize', 0) ** 2
  const last = call.node.attribute.find(({ name }) => name === 'mode')
  const columnRow = last !== undefined && new TextDecoder().decode(last.s) === 'CRD'
  if (axes?.length !== 4 || !labels || copies < 1 || labels.length % copies !== 0)
    return call.barrier('moves it in a way that cannot be followed')
  const channels = labels.length / copies
  const at = (channel: number, copy: number): number => labels[columnRow ? channel * copies + copy : copy * channels + channel]!
  for (let channel = 0; channel < channels; channel++)
    for (let copy = 1; copy < copies; copy++)
      call.classes.tie(at(channel, 0), at(channel, copy), `${call.title} needs blocks of equal size`)
  for (const index of [2, 3]) call.freeze(axes[index], 'mixes what lies on that axis')
  call.setAxes([axes[0], Int32Array.from({ length: channels }, (_, channel) => at(channel, 0)), undefined, undefined])
}

function spaceToDepth(call: NodeCall): undefined {
  if (!call.labelled(0)) return
  const axes = call.axes(0)
  const labels = axes?.[1]
  const copies = call.int('blocksize', 0) ** 2
  if (axes?.length !== 4 || !labels || copies < 1) return call.barrier('moves it in a way that cannot be followed')
  for (const index of [2, 3]) call.freeze(axes[index], 'mixes what lies on that axis')
  call.setAxes([
    axes[0],
    Int32Array.from({ length: labels.length * copies }, (_, index) => labels[index % labels.length]!),
    undefined,
    undefined,
  ])
}

/** Pads that leave labelled axes as they are. */
function pad(call: NodeCall): undefined {
  if (!call.labelled(0)) return
  const axes = call.axes(0)
  const pads = call.list('pads', 1)
  const given = call.input(3) === '' ? axes?.map((_, axis) => axis) : call.integers(3)
  const at = axes && given ? normalizeAxes(given, axes.length) : undefined
  if (!axes || !at || typeof pads === 'string' || pads.length !== 2 * at.length) return call.barrier('pads in a way that is not known')
  const output = [...axes]
  for (const [index, axis] of at.entries()) {
    if (!output[axis] || (pads[index] === 0 && pads[index + at.length] === 0)) continue
    call.freeze(output[axis], 'pads it')
    output[axis] = undefined
  }
  call.setAxes(output)
}

/** Shape: which elements are numbers of channels. */
function shapeOf(call: NodeCall): undefined {
  const axes = call.axes(0)
  if (!axes || !call.labelled(0)) return
  const bound = (name: string, fallback: number): number => {
    const value = call.int(name, fallback)
    return Math.max(0, Math.min(axes.length, value < 0 ? value + axes.length : value))
  }
  call.setElements(axes.slice(bound('start', 0), bound('end', axes.length)))
}

/** Operators that move axes and blocks. */
export const layoutCouplingRules: Readonly<Record<string, CouplingRule>> = {
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Pad: pad,
  Shape: shapeOf,
}
