import type { CorrespondingKernels } from '../corresponding-nodes.ts'
import { type ConvShape, convShape } from '../kernel-kinds.ts'
import { kernelLabel, mainNode, nodeLabel } from '../model-profile.ts'
import { int8Rows, type SlowdownContext, type SlowdownFinding, workers } from '../slowdown-context.ts'
import { counted, inMs, someNodes } from '../wording.ts'

/** Below this many channels a convolution has too few products for each value it moves (kernels work on 8 to 32 at a time). */
const FEW_CHANNELS = 16
/** Kernels below this cost mostly what every kernel costs: call, checks, set-up. */
const TINY_MS = 0.02

/** Convolutions of int8-dynamic builds. */
export function convInteger({ rows }: SlowdownContext): SlowdownFinding[] {
  const slow = rows.filter((row) => row.lostMs > 0 && row.build.some(({ op }) => op === 'ConvInteger'))
  return finding(
    'conv-integer',
    slow,
    (shown) =>
      `${shown}: ONNX Runtime's kernel for convolutions with dynamic ranges (ConvInteger) has no fast path, and conversions surround it.`,
  )
}

/** Activations or weights of types that x64 has no fast 8-bit kernel for. */
export function slowNumberTypes(context: SlowdownContext): SlowdownFinding[] {
  const slow = int8Rows(context).filter((row) => kindOf(row, context) === 'number-types')
  return finding(
    'slow-number-types',
    slow,
    (shown) =>
      `${shown}: x64 kernels are made for uint8 activations and int8 weights; without AVX-VNNI-INT8, which this processor lacks, other combinations run several times slower. The build was made for another target.`,
  )
}

/** Depthwise convolutions: one product for each value that is moved. */
export function depthwiseLayers(context: SlowdownContext): SlowdownFinding[] {
  const slow = int8Rows(context).filter((row) => kindOf(row, context) === 'depthwise')
  const blocked = slow.some(({ baseline }) => baseline.some(({ domain }) => domain.endsWith('nchwc')))
  return finding(
    'depthwise-in-8-bits',
    slow,
    (shown) =>
      `${shown}: a depthwise convolution multiplies each value with a few weights only, so that 8-bit products save nothing, and ONNX Runtime's float32 kernel${blocked ? ' (NCHWc: eight channels at a time)' : ''} is the better one.`,
    'depthwise convolution',
  )
}

/** Convolutions of few channels. */
export function fewChannels(context: SlowdownContext): SlowdownFinding[] {
  const slow = int8Rows(context).filter((row) => kindOf(row, context) === 'few-channels')
  const shapes = [
    ...new Set(
      slow
        .flatMap((row) => shapeOf(row, context) ?? [])
        .map(({ inputChannels, outputChannels }) => `${inputChannels} to ${outputChannels}`),
    ),
  ]
  return finding(
    'few-channels',
    slow,
    (shown) =>
      `${shown}: with fewer than ${FEW_CHANNELS} channels (${shapes.slice(0, 4).join(', ')}) there are too few products for 8-bit kernels to pay; gathering their inputs takes the time.`,
    'convolution',
  )
}

/** Baseline kernels that do what takes the build several. */
export function floatFusesMore(context: SlowdownContext): SlowdownFinding[] {
  const rows = int8Rows(context).filter((row) => kindOf(row, context) === 'fused-more')
  if (rows.length === 0) return []
  const extra = rows.map((row) => {
    const main = mainNode(row.sources)!
    const others = workers(row.build).filter(({ nodes }) => !nodes.some((node) => nodeLabel(node) === nodeLabel(main)))
    return { others, ms: Math.min(row.lostMs, sum(others)) }
  })
  const ms = extra.reduce((all, entry) => all + entry.ms, 0)
  const kernels = [...new Set(extra.flatMap(({ others }) => others.map(kernelLabel)))]
  const alone = kernels.length === 1 ? `${kernels[0]} is a kernel of its own` : `${kernels.join(', ')} are kernels of their own`
  const nodes = mains(rows)
  const fused = [...new Set(rows.map(({ sources }) => sources.map(({ opType }) => opType).join('+')))].slice(0, 3).join(', ')
  const layout = rows.some(({ baseline }) => baseline.some(({ domain }) => domain.endsWith('nchwc')))
    ? ' in blocks of channels (NCHWc)'
    : ''
  return [
    {
      rule: 'float32-fuses-more',
      message: `In float32 ONNX Runtime runs ${fused} as one kernel${layout}; in 8 bits ${alone}. ${counted(rows.length, 'place')}, ${inMs(ms)} lost: ${someNodes(nodes)}.`,
      nodes: nodes.map(nodeLabel),
      lostMs: ms,
    },
  ]
}

/** Layers whose time is that of calling a kernel. */
export function tinyLayers(context: SlowdownContext): SlowdownFinding[] {
  const slow = int8Rows(context).filter((row) => kindOf(row, context) === 'tiny')
  return finding(
    'tiny-layers',
    slow,
    (shown) =>
      `${shown}: layers of under ${inMs(TINY_MS)} cost mostly what calling any kernel costs, and 8-bit kernels have more to set up.`,
  )
}

/** The rest: layers that should gain and do not, by operator. */
export function notFaster(context: SlowdownContext): SlowdownFinding[] {
  const slow = int8Rows(context).filter((row) => kindOf(row, context) === 'other')
  const byOp = new Map<string, CorrespondingKernels[]>()
  for (const row of slow) {
    const op = mainNode(row.sources)!.opType
    byOp.set(op, [...(byOp.get(op) ?? []), row])
  }
  return [...byOp].flatMap(([op, rows]) => {
    const kernels = (side: 'baseline' | 'build') => [...new Set(rows.flatMap((row) => row[side].map(kernelLabel)))].join(', ')
    return finding(
      'int8-not-faster',
      rows,
      (shown) => `${shown}: its 8-bit kernel (${kernels('build')}) is slower here than the float32 one (${kernels('baseline')}).`,
      op,
    )
  })
}

type Kind = 'conv-integer' | 'number-types' | 'fused-more' | 'depthwise' | 'few-channels' | 'tiny' | 'other'

/** Which rule speaks for a row that lost time in 8 bits; undefined for one that did not. */
function kindOf(row: CorrespondingKernels, context: SlowdownContext): Kind | undefined {
  if (row.lostMs <= 0) return undefined
  if (row.build.some(({ op }) => op === 'ConvInteger')) return 'conv-integer'
  if (slowTypes(row, context)) return 'number-types'
  if (row.baseline.length > 0 && workers(row.build).length > workers(row.baseline).length) return 'fused-more'
  const shape = shapeOf(row, context)
  if (shape?.depthwise) return 'depthwise'
  if (shape && Math.min(shape.inputChannels, shape.outputChannels) < FEW_CHANNELS) return 'few-channels'
  return row.baselineMs < TINY_MS ? 'tiny' : 'other'
}

function slowTypes({ build }: CorrespondingKernels, { machine }: SlowdownContext): boolean {
  if (machine.architecture !== 'x64' || machine.features.length === 0 || machine.features.includes('avx_vnni_int8')) return false
  // x, its scale and zero point come first: what they are tells how the kernel multiplies.
  return build.some(({ op, inputs }) => /^(QLinearConv|QLinearMatMul|QGemm)$/.test(op) && inputs[0]?.type === 'int8')
}

function shapeOf({ sources }: CorrespondingKernels, { baseline }: SlowdownContext): ConvShape | undefined {
  const main = mainNode(sources)
  return main && convShape(baseline.graph, main)
}

function mains(rows: readonly CorrespondingKernels[]): NonNullable<ReturnType<typeof mainNode>>[] {
  return rows.flatMap(({ sources }) => mainNode(sources) ?? [])
}

/** One finding about rows that lost time; none when there are none. */
function finding(
  rule: string,
  rows: readonly CorrespondingKernels[],
  message: (shown: string) => string,
  what = 'layer',
): SlowdownFinding[] {
  if (rows.length === 0) return []
  const nodes = mains(rows)
  const shown = `${/^[A-Z]/.test(what) ? `${rows.length} ${what}` : counted(rows.length, what)} (${someNodes(nodes)}) ${rows.length === 1 ? 'takes' : 'take'} ${inMs(sum(rows, 'buildMs'))} in 8 bits and ${inMs(sum(rows, 'baselineMs'))} in the baseline`
  return [{ rule, message: message(shown), nodes: nodes.map(nodeLabel), lostMs: sum(rows, 'lostMs') }]
}

function sum<K extends string>(entries: readonly Readonly<Record<K, number>>[], key: K): number
function sum(entries: readonly { readonly ms: number }[]): number
function sum(entries: readonly Readonly<Record<string, unknown>>[], key = 'ms'): number {
  return entries.reduce((all, entry) => all + Number(entry[key]), 0)
}
