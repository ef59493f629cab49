import type { ProcedureInput } from '../../../../contract/procedures.ts'
import type { ServiceSettings } from '../../../../contract/service.ts'
import type { Typed } from './deploy-draft.ts'

/** A client with a key of its own. */
export interface KeyDraft {
  readonly name: string
  /** It gets a key with this deployment. */
  readonly isNew: boolean
}

/** What stays the same from release to release, as it is typed. */
export interface SettingsDraft {
  readonly keys: readonly KeyDraft[]
  /** Requests per second of each client; empty for no limit. */
  readonly rate: Typed
  readonly burst: Typed
  readonly log: boolean
  /** Percent of predictions that are written. */
  readonly logPercent: Typed
  readonly logDays: Typed
  readonly logMegabytes: Typed
  readonly webhookUrl: string
  readonly webhookHours: Typed
  readonly open: boolean
  readonly hosts: readonly string[]
}

type Choices = NonNullable<ProcedureInput<'deploy.start'>['settings']>

const MEGABYTE = 2 ** 20
const LOOPBACK = '127.0.0.1'
const EVERYWHERE = '0.0.0.0'

/** The settings of a service in the form; those of a new one for null. */
export function settingsDraftOf(settings: ServiceSettings | null): SettingsDraft {
  return {
    keys: (settings?.apiKeys ?? []).map(({ name }) => ({ name, isNew: false })),
    rate: settings?.rateLimit?.requestsPerSecond ?? '',
    burst: settings?.rateLimit?.burst ?? '',
    log: (settings?.predictionLog ?? null) !== null,
    logPercent: Math.round((settings?.predictionLog?.share ?? 1) * 1000) / 10,
    logDays: settings?.predictionLog?.days ?? 30,
    logMegabytes: Math.round((settings?.predictionLog?.bytes ?? 256 * MEGABYTE) / MEGABYTE),
    webhookUrl: settings?.retraining?.url ?? '',
    webhookHours: settings?.retraining?.coolDownHours ?? 24,
    open: (settings?.network ?? null) !== null,
    hosts: settings?.network?.hosts ?? [],
  }
}

/** What is told to the service: only what differs from what it has (or from the defaults), so that nothing else is touched. */
export function settingsChoices(draft: SettingsDraft, settings: ServiceSettings | null): Choices {
  const before = choicesOf(settingsDraftOf(settings), settings)
  const wanted = choicesOf(draft, settings)
  const keys = Object.keys(wanted) as (keyof Choices)[]
  const changed = keys.filter((key) => JSON.stringify(wanted[key]) !== JSON.stringify(before[key]))
  return Object.fromEntries(changed.map((key) => [key, wanted[key]])) as Choices
}

function choicesOf(draft: SettingsDraft, settings: ServiceSettings | null): Choices {
  const { keys, rate, burst, log, webhookUrl, open } = draft
  const openHost = settings?.network ? settings.host : EVERYWHERE
  const closedHost = settings && !settings.network ? settings.host : LOOPBACK
  return {
    host: open ? openHost : closedHost,
    network: open ? { hosts: [...draft.hosts] } : null,
    apiKeys: keys.map(({ name }) => ({ name })),
    rateLimit:
      rate === ''
        ? null
        : { requestsPerSecond: rate as number, burst: burst === '' ? Math.max(1, Math.ceil(Number(rate))) : (burst as number) },
    predictionLog: log
      ? {
          share: typeof draft.logPercent === 'number' ? draft.logPercent / 100 : (draft.logPercent as unknown as number),
          days: draft.logDays as number,
          bytes:
            typeof draft.logMegabytes === 'number' ? Math.round(draft.logMegabytes * MEGABYTE) : (draft.logMegabytes as unknown as number),
        }
      : null,
    retraining:
      webhookUrl.trim() === ''
        ? null
        : {
            url: webhookUrl.trim(),
            coolDownHours: draft.webhookHours as number,
          },
  }
}
