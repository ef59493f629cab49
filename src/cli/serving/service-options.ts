import { z } from 'zod'
import type { Deployment } from '../../contract/deployment.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ServiceChoices } from '../../contract/service.ts'
import { serviceChoicesSchema } from '../../contract/service.ts'
import { flag, repeated, setting, text } from '../option.ts'

const { shape } = serviceChoicesSchema
/** What takes a setting away. */
const NONE = 'none'
/** A burst of so many seconds' worth is let through. */
const BURST_SECONDS = 2

/** What stays the same from release to release; what is left out stays as it is on an existing service. */
export const settingsOptions = {
  open: text('HOST[,HOST]', 'open it to the network, under these names or addresses only; none closes it again (default: loopback only)'),
  'api-key': repeated(text('NAME', 'a client of its own: its key is printed once; may be given again')),
  'revoke-api-key': repeated(text('NAME', 'takes a client’s key away')),
  'rate-limit': setting('N', z.number().min(0).max(1e6), 'prediction requests a second of each client, a batch being one; 0 for no limit'),
  'log-predictions': setting(
    'SHARE',
    z.number().min(0).max(1),
    'keep this share of predictions on the device, 0 to 1 (0: none); their inputs are private data',
  ),
  webhook: text('URL', 'whom to tell, signed, that drift calls for training again; none for nobody'),
  concurrency: setting('N', shape.concurrency.unwrap(), 'predictions that are worked on together; more are refused'),
  'deadline-ms': setting('MS', shape.deadlineMs.unwrap(), 'give up a prediction after MS'),
  system: flag('run it as a system unit of systemd, through sudo; asks before'),
  yes: flag('do not ask before sudo is used'),
} as const

interface SettingsValues {
  readonly open: string | undefined
  readonly 'api-key': readonly string[]
  readonly 'revoke-api-key': readonly string[]
  readonly 'rate-limit': number | undefined
  readonly 'log-predictions': number | undefined
  readonly webhook: string | undefined
  readonly concurrency: number | undefined
  readonly 'deadline-ms': number | undefined
}

/** The given options as choices over the settings of an existing service. @throws EdgesmithError `USAGE` */
export function settingsChoices(options: SettingsValues, existing: Deployment | undefined): ServiceChoices {
  const rate = options['rate-limit']
  const share = options['log-predictions']
  const apiKeys = keyNames(options, existing?.settings?.apiKeys.map(({ name }) => name) ?? [])
  const choices = {
    ...(options.open !== undefined && {
      network: options.open === NONE ? null : { hosts: options.open.split(',').map((host) => host.trim()) },
    }),
    ...(apiKeys && { apiKeys: apiKeys.map((name) => ({ name })) }),
    ...(rate !== undefined && {
      rateLimit: rate === 0 ? null : { requestsPerSecond: rate, burst: Math.max(1, Math.ceil(rate * BURST_SECONDS)) },
    }),
    ...(share !== undefined && { predictionLog: share === 0 ? null : { share } }),
    ...(options.webhook !== undefined && { retraining: options.webhook === NONE ? null : { url: options.webhook } }),
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    ...(options['deadline-ms'] !== undefined && { deadlineMs: options['deadline-ms'] }),
  }
  const parsed = serviceChoicesSchema.safeParse(choices)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new EdgesmithError('USAGE', `${optionOf(issue?.path[0])}: ${issue?.message}`, {
    hint: 'edgesmith deploy --help shows how it is used.',
  })
}

/** All clients there shall be; undefined leaves them alone. */
function keyNames(options: SettingsValues, before: readonly string[]): readonly string[] | undefined {
  const [added, revoked] = [options['api-key'], options['revoke-api-key']]
  if (added.length + revoked.length === 0) return undefined
  const unknown = revoked.find((name) => !before.includes(name))
  if (unknown !== undefined) {
    throw new EdgesmithError('USAGE', `--revoke-api-key ${unknown}: the service has no client of that name`, {
      hint: before.length === 0 ? 'It has none.' : `It has: ${before.join(', ')}.`,
    })
  }
  return [...new Set([...before.filter((name) => !revoked.includes(name)), ...added])]
}

function optionOf(field: PropertyKey | undefined): string {
  const names: Record<string, string> = {
    network: '--open',
    apiKeys: '--api-key',
    rateLimit: '--rate-limit',
    predictionLog: '--log-predictions',
    retraining: '--webhook',
  }
  return names[String(field)] ?? `--${String(field)}`
}
