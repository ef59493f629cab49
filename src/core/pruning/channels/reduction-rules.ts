import { normalizeAxes, normalizeAxis } from '../../onnx/shapes.ts'
import { type CouplingRule, type NodeCall, UNKNOWN_SHAPE } from './node-call.ts'

/** Statistics along some axes, the others pass. */
function reduce(call: NodeCall): undefined {
  if (!call.labelled(0)) return
  const axes = call.axes(0)
  const given = call.list('axes', 1)
  const all = given === 'absent' || (Array.isArray(given) && given.length === 0)
  if (all && call.int('noop_with_empty_axes', 0) === 1) return axes ? call.setAxes(axes) : call.barrier(UNKNOWN_SHAPE)
  const over = all ? axes?.map((_, axis) => axis) : given === 'unknown' ? undefined : normalizeAxes(given as number[], axes?.length ?? 0)
  if (!axes || !over) return call.barrier('reduces along axes that are not known')
  for (const axis of over) call.freeze(axes[axis], 'computes over all channels')
  const keep = call.int('keepdims', 1) !== 0
  call.setAxes(axes.flatMap((labels, axis) => (over.includes(axis) ? (keep ? [undefined] : []) : [labels])))
}

/** ArgMax and ArgMin: one axis, given as an attribute. */
function argument(call: NodeCall): undefined {
  if (!call.labelled(0)) return
  const axes = call.axes(0)
  const axis = axes && call.axis(0, axes.length)
  if (!axes || axis === undefined) return call.barrier(UNKNOWN_SHAPE)
  call.freeze(axes[axis], 'computes over all channels')
  const keep = call.int('keepdims', 1) !== 0
  call.setAxes(axes.flatMap((labels, at) => (at === axis ? (keep ? [undefined] : []) : [labels])))
}

/** Softmax and its relatives mix one axis (before opset 13 all from it on); LayerNormalization those from `axis` on. */
function normalizing(fallback: number, from: boolean): CouplingRule {
  return (call) => {
    if (!call.labelled(0)) return
    const axes = call.axes(0)
    const axis = axes && normalizeAxis(call.int('axis', fallback), axes.length)
    if (!axes || axis === undefined) return call.barrier(UNKNOWN_SHAPE)
    if (call.node.output.slice(1).some((name) => name !== '')) return call.barrier('gives out its statistics')
    const mixed = (at: number): boolean => (from ? at >= axis : at === axis)
    for (const [at, labels] of axes.entries()) if (mixed(at)) call.freeze(labels, 'computes over all channels')
    call.setAxes(axes.map((labels, at) => (mixed(at) ? undefined : labels)))
  }
}

/** Windows over positions; the channels pass. */
function pool(call: NodeCall): undefined {
  if (!call.labelled(0)) return
  const axes = call.axes(0)
  if (!axes || axes.length < 3) return call.barrier(UNKNOWN_SHAPE)
  if (call.node.output.slice(1).some((name) => name !== '')) return call.barrier('gives out positions that count channels')
  for (const labels of axes.slice(2)) call.freeze(labels, 'mixes what lies on that axis')
  call.setAxes([axes[0], axes[1], ...axes.slice(2).map(() => undefined)])
}

/** Operators that compute over whole axes or windows: channels pass where these run over positions, and stay where they run over channels. */
export const reductionCouplingRules: Readonly<Record<string, CouplingRule>> = {
  ...Object.fromEntries(
    ['Mean', 'Sum', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'].map((name) => [`Reduce${name}`, reduce]),
  ),
  ArgMax: argument,
  ArgMin: argument,
  Softmax: normalizing(-1, false),
  LogSoftmax: normalizing(-1, false),
  Hardmax: normalizing(-1, false),
  LayerNormalization: normalizing(-1, true),
  RMSNormalization: normalizing(-1, true),
  ...Object.fromEntries(['MaxPool', 'AveragePool', 'LpPool', 'GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'].map((op) => [op, pool])),
}
