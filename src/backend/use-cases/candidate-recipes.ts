import type { z } from 'zod'
import type { ModelReport } from '../../contract/model.ts'
import type { Target } from '../../contract/names.ts'
import { type CalibratorName, calibratorSchema, type Recipe, recipeSchema } from '../../contract/recipe.ts'

/** A recipe worth trying, with a short name for tables. */
export interface CandidateRecipe {
  readonly title: string
  readonly recipe: Recipe
}

/** A comparison takes sixteen models, and one of them is the source. */
export const MAX_CANDIDATES = 15

/** Matrix products hold most of the weights from this share of the parameters on: then storing them smaller pays. */
const DOMINANT_SHARE = 0.5
/** Magnitude pruning zeroes this share: beyond it accuracy falls quickly. */
const ZEROED_SHARE = 0.5
/** Shares of the multiply-accumulates that channel pruning takes away: a careful and a bold one. */
const CHANNEL_SHARES = [0.3, 0.5] as const

/** Only quantized models have these. */
const quantizedOps =
  /^(?:QuantizeLinear|DequantizeLinear|DynamicQuantize\w+|QLinear\w+|QGemm|QAttention|\w*(?:Conv|MatMul)Integer\w*|MatMulNBits)$/
const convolutions = ['Conv', 'ConvTranspose'] as const
const products = ['MatMul', 'Gemm'] as const
const recurrent = ['LSTM', 'GRU', 'RNN'] as const

/**
 * The recipes that make sense for a model on a target, most promising first, at most {@link MAX_CANDIDATES}. Ones that cannot apply
 * by what the report says are left out; one that refuses the graph all the same is for the caller to note.
 *
 * @param calibrated whether there are calibration samples
 */
export function candidateRecipes(
  report: Pick<ModelReport, 'opCounts' | 'weightTypes' | 'nodes'>,
  target: Target,
  calibrated: boolean,
): CandidateRecipe[] {
  const has = (ops: readonly string[]) => ops.some((op) => (report.opCounts[op] ?? 0) > 0)
  const float32 = (report.weightTypes.float32 ?? 0) > 0
  const floats = float32 || (report.weightTypes.float16 ?? 0) > 0
  const quantized = Object.keys(report.opCounts).some((op) => quantizedOps.test(op))
  const gpu = target === 'tensorrt'
  const found: CandidateRecipe[] = []
  const add = (title: string, ...steps: z.input<typeof recipeSchema>) => {
    found.push({ title, recipe: recipeSchema.parse(steps) })
  }

  const canQuantize = floats && !quantized
  if (canQuantize && calibrated && (has(convolutions) || has(products))) {
    add('int8-static', { recipe: 'int8-static', calibrator: 'auto' })
    for (const calibrator of calibrators) add(`int8-static ${calibrator}`, { recipe: 'int8-static', calibrator })
  }
  if (canQuantize && !gpu && (has(products) || has(['LSTM']))) add('int8-dynamic', { recipe: 'int8-dynamic' })
  if (float32) add('fp16 weights', { recipe: 'fp16', weightsOnly: true })
  // Processors compute float16 in float32; only a GPU has kernels that gain from it.
  if (float32 && gpu) add('fp16', { recipe: 'fp16' })
  if (canQuantize && !gpu && shareOfParameters(report, products) >= DOMINANT_SHARE) {
    add('int8-weights', { recipe: 'int8-weights' })
    add('int4-weights', { recipe: 'int4-weights' })
  }
  if (canQuantize && has(convolutions)) {
    for (const amount of CHANNEL_SHARES) {
      const prune: z.input<typeof recipeSchema>[number] = { recipe: 'prune-channels', amount, refit: calibrated }
      const title = `prune-channels ${Math.round(amount * 100)}%`
      // Alone too: where 8 bits are slower than float32, fewer channels still are faster.
      add(title, prune)
      if (calibrated) add(`${title} + int8-static`, prune, { recipe: 'int8-static', calibrator: 'auto' })
    }
  }
  if (canQuantize && (has(convolutions) || has(products) || has(recurrent))) {
    const title = `prune-magnitude ${Math.round(ZEROED_SHARE * 100)}%`
    add(title, { recipe: 'prune-magnitude', sparsity: ZEROED_SHARE, method: calibrated ? 'auto' : 'magnitude' })
  }
  return found.slice(0, MAX_CANDIDATES)
}

/** Tried one by one beside `auto`, which tries the moving average as well. */
const calibrators: readonly CalibratorName[] = calibratorSchema.options.filter((name) => name !== 'moving-average')

/** How much of all parameters belongs to nodes of these operators; 0 where nodes are unknown. */
function shareOfParameters({ nodes }: Pick<ModelReport, 'nodes'>, ops: readonly string[]): number {
  const sum = (wanted: (op: string) => boolean) => nodes.reduce((total, { op, parameters }) => total + (wanted(op) ? parameters : 0), 0)
  const all = sum(() => true)
  return all === 0 ? 0 : sum((op) => ops.includes(op)) / all
}
