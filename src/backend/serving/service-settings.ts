import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { EdgesmithError } from '../../contract/errors.ts'
import { type ServiceChoices, type ServiceSettings, serviceSettingsSchema } from '../../contract/service.ts'
import { sha256Of } from '../../platform/file-hash.ts'

/** What nobody but the user may know; answered once. */
export interface MadeSecrets {
  readonly apiKeys: readonly { readonly name: string; readonly key: string }[]
  readonly webhookSecret: string | null
}

export interface DecidedSettings {
  readonly settings: ServiceSettings
  /** Goes to the device; null keeps the one it has. */
  readonly webhookSecret: string | null
  readonly made: MadeSecrets
}

/** Loopback, or all addresses: a service on one address of a network alone could not be asked through the tunnel. */
const allowedHosts: readonly string[] = ['127.0.0.1', '0.0.0.0', '::']

/**
 * Settings of a service: choices over what it had. Keys are kept as their SHA-256 only.
 * @param before null for a new service, or one whose settings this workspace does not know
 * @param port null for a free one
 * @throws EdgesmithError `USAGE`
 */
export function decideSettings(
  before: ServiceSettings | null,
  choices: ServiceChoices,
  { service, port }: { readonly service: string; readonly port: number | null },
): DecidedSettings {
  const network = choices.network === undefined ? (before?.network ?? null) : choices.network
  // Opened or closed without naming an address.
  const kept = choices.network === undefined ? before?.host : undefined
  const host = choices.host ?? kept ?? (network === null ? '127.0.0.1' : '0.0.0.0')
  if (!allowedHosts.includes(host)) {
    throw new EdgesmithError('USAGE', `A deployed service cannot listen on ${host} alone`, {
      hint: `Use ${allowedHosts.join(', ')}; who may ask it is decided by the names it is opened under, and by a firewall.`,
    })
  }
  const keys = decideKeys(before?.apiKeys ?? [], choices.apiKeys)
  const { retraining, ...webhook } = decideWebhook(before?.retraining ?? null, choices.retraining)
  const { concurrency, deadlineMs, accessLogShare } = choices
  const parsed = serviceSettingsSchema.safeParse({
    ...before,
    service,
    host,
    port: port ?? 0,
    network,
    apiKeys: keys.apiKeys,
    rateLimit: choices.rateLimit === undefined ? (before?.rateLimit ?? null) : choices.rateLimit,
    predictionLog: choices.predictionLog === undefined ? (before?.predictionLog ?? null) : choices.predictionLog,
    retraining,
    ...(concurrency !== undefined && { concurrency }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(accessLogShare !== undefined && { accessLogShare }),
  })
  if (!parsed.success) throw new EdgesmithError('USAGE', `Settings of ${service}: ${z.prettifyError(parsed.error)}`)
  return { settings: parsed.data, webhookSecret: webhook.secret, made: { apiKeys: keys.made, webhookSecret: webhook.made } }
}

type StoredKeys = ServiceSettings['apiKeys']

function decideKeys(before: StoredKeys, choices: ServiceChoices['apiKeys']): { apiKeys: StoredKeys; made: MadeSecrets['apiKeys'] } {
  if (choices === undefined) return { apiKeys: before, made: [] }
  const made: { name: string; key: string }[] = []
  const apiKeys = choices.map(({ name, key, rateLimit }, index) => {
    if (choices.findIndex((other) => other.name === name) !== index) {
      throw new EdgesmithError('USAGE', `Two API keys are called ${name}`, { hint: 'Give every client a name of its own.' })
    }
    const known = before.find((candidate) => candidate.name === name)
    const limit = rateLimit === undefined ? (known?.rateLimit ?? null) : rateLimit
    if (key === undefined && known) return { ...known, rateLimit: limit }
    const text = key ?? randomBytes(32).toString('base64url')
    if (key === undefined) made.push({ name, key: text })
    return { name, sha256: sha256Of(text), rateLimit: limit }
  })
  return { apiKeys, made }
}

function decideWebhook(before: ServiceSettings['retraining'], choice: ServiceChoices['retraining']) {
  if (choice === undefined) return { retraining: before, secret: null, made: null }
  if (choice === null) return { retraining: null, secret: null, made: null }
  const { secret: given, ...retraining } = choice
  if (given !== undefined) return { retraining, secret: given, made: null }
  if (before !== null) return { retraining, secret: null, made: null }
  const made = randomBytes(32).toString('base64url')
  return { retraining, secret: made, made }
}
