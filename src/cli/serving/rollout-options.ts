import { z } from 'zod'
import { EdgesmithError } from '../../contract/errors.ts'
import { rolloutLimitsSchema, rolloutSchema } from '../../contract/routing.ts'
import { flag, setting } from '../option.ts'

const rollout = rolloutSchema.unwrap().shape
const limits = rolloutLimitsSchema.shape

/** How a release takes its place. */
export const rolloutOptions = {
  weight: setting('PCT', z.number().min(0).max(100), 'a split: this share of requests, until it is changed (edgesmith weight)'),
  canary: flag('step by step, and back by itself when it is worse than what serves'),
  steps: setting(
    'PCT,PCT',
    z
      .string()
      .regex(/^\d+(\.\d+)?(,\d+(\.\d+)?)*$/, 'must be percents separated by commas, such as 1,10,50')
      .transform((value) => value.split(',').map(Number)),
    `shares of a canary; 100 comes by itself (default ${rollout.steps.parse(undefined).join(',')})`,
  ),
  'step-seconds': setting('S', rollout.stepSeconds, 'how long each share of a canary is held'),
  shadow: flag('gets copies of requests; nobody sees its answers'),
  'watch-seconds': setting('S', rollout.watchSeconds, 'how long a switch is watched, and taken back when it is worse; 0 does not watch'),
  'max-error-rate': setting('X', limits.maxErrorRate, 'what is being tried is taken back above this share of failed requests'),
  'max-divergence': setting('X', limits.maxDivergence.unwrap().unwrap(), 'and when more than this share of answers differ'),
  'min-requests': setting('N', limits.minRequests, 'nothing is judged by fewer requests'),
} as const

interface RolloutValues {
  readonly weight: number | undefined
  readonly canary: boolean
  readonly steps: readonly number[] | undefined
  readonly 'step-seconds': number | undefined
  readonly shadow: boolean
  readonly 'watch-seconds': number | undefined
  readonly 'max-error-rate': number | undefined
  readonly 'max-divergence': number | undefined
  readonly 'min-requests': number | undefined
}

/** The given options as a roll-out; what was left out keeps the contract's default. @throws EdgesmithError `USAGE` */
export function rolloutOf(options: RolloutValues): z.input<typeof rolloutSchema> {
  const kinds = [
    ...(options.weight !== undefined ? (['split'] as const) : []),
    ...(options.canary ? (['canary'] as const) : []),
    ...(options.shadow ? (['shadow'] as const) : []),
  ]
  if (kinds.length > 1) throw new EdgesmithError('USAGE', 'Only one of --weight, --canary and --shadow can be given')
  const [kind = 'switch'] = kinds
  for (const name of ['steps', 'step-seconds'] as const) {
    if (options[name] !== undefined && kind !== 'canary') throw new EdgesmithError('USAGE', `--${name} is for --canary`)
  }
  const steps = options.steps && [...options.steps].filter((step) => step < 100)
  if (steps?.some((step, index) => step <= 0 || step <= (steps[index - 1] ?? 0))) {
    throw new EdgesmithError('USAGE', `--steps must go up, from above 0: found ${steps.join(',')}`, {
      hint: 'For example: --steps 1,10,50',
    })
  }
  return {
    kind,
    ...(options.weight !== undefined && { weight: options.weight }),
    ...(steps && steps.length > 0 && { steps }),
    ...(options['step-seconds'] !== undefined && { stepSeconds: options['step-seconds'] }),
    ...(options['watch-seconds'] !== undefined && { watchSeconds: options['watch-seconds'] }),
    limits: {
      ...(options['max-error-rate'] !== undefined && { maxErrorRate: options['max-error-rate'] }),
      ...(options['max-divergence'] !== undefined && { maxDivergence: options['max-divergence'] }),
      ...(options['min-requests'] !== undefined && { minRequests: options['min-requests'] }),
    },
  }
}
