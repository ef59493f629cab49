import type { Deployment } from '../../../../contract/deployment.ts'
import { LOCAL_DEVICE_ID } from '../../../../contract/device.ts'
import type { ProcedureInput } from '../../../../contract/procedures.ts'
import type { Rollout } from '../../../../contract/routing.ts'
import { parseNumbers } from '../../../forms/number-list.ts'
import { type SettingsDraft, settingsChoices, settingsDraftOf } from './settings-draft.ts'

/** What a number field holds: empty is "leave it to Edgesmith". */
export type Typed = number | string

/** How a release takes its place, as it is typed. */
export interface RolloutDraft {
  readonly kind: Rollout['kind']
  readonly weight: Typed
  readonly steps: string
  readonly stepSeconds: Typed
  readonly watchSeconds: Typed
  /** Percent of failed requests. */
  readonly maxErrorPercent: Typed
  /** Empty does not look at latency. */
  readonly maxP95Ratio: Typed
  /** Percent of samples that are answered differently; empty only counts. */
  readonly maxDivergencePercent: Typed
  readonly minRequests: Typed
}

/** The deploy form. */
export interface DeployDraft {
  readonly modelId: string | null
  readonly deviceId: string
  readonly service: string
  readonly rollout: RolloutDraft
  /** Data for golden answers, drift, names and ranges; null for what the build was calibrated with, undefined while nobody chose. */
  readonly datasetId: string | null | undefined
  /** Limit of the gate. */
  readonly maxLatencyMs: Typed
  /** Percentage points of accuracy, measured with the labels of the dataset. */
  readonly maxAccuracyDropPercent: Typed
  readonly port: Typed
  readonly threads: Typed
  readonly workers: Typed
  readonly embedding: string
  readonly supervise: 'auto' | 'system' | 'process'
  readonly settings: SettingsDraft
}

/** The contract's defaults, as they are typed. */
const rolloutDraft: RolloutDraft = {
  kind: 'switch',
  weight: 10,
  steps: '1, 10, 50',
  stepSeconds: 60,
  watchSeconds: 60,
  maxErrorPercent: 1,
  maxP95Ratio: 1.5,
  maxDivergencePercent: '',
  minRequests: 50,
}

/** A form for a new service, or for a new release of one that is there. */
export function newDeployDraft(
  modelId: string | null,
  releaseOf: Pick<Deployment, 'deviceId' | 'service' | 'settings'> | null = null,
): DeployDraft {
  return {
    modelId,
    deviceId: releaseOf?.deviceId ?? LOCAL_DEVICE_ID,
    service: releaseOf?.service ?? '',
    rollout: rolloutDraft,
    datasetId: undefined,
    maxLatencyMs: '',
    maxAccuracyDropPercent: '',
    port: '',
    threads: '',
    workers: '',
    embedding: '',
    supervise: 'auto',
    settings: settingsDraftOf(releaseOf?.settings ?? null),
  }
}

/** The service a form would bring a new release to; undefined for a new service. */
export function existingService(
  draft: Pick<DeployDraft, 'deviceId' | 'service'>,
  deployments: readonly Deployment[],
): Deployment | undefined {
  const name = draft.service.trim()
  return deployments.find(({ deviceId, service }) => deviceId === draft.deviceId && service === name)
}

/** The form with another device or service; a service that exists brings its settings along. */
export function withService(
  draft: DeployDraft,
  place: Partial<Pick<DeployDraft, 'deviceId' | 'service'>>,
  deployments: readonly Deployment[],
): DeployDraft {
  const moved = { ...draft, ...place }
  const before = existingService(draft, deployments)
  const existing = existingService(moved, deployments)
  return existing?.id === before?.id ? moved : { ...moved, settings: settingsDraftOf(existing?.settings ?? null) }
}

/**
 * What `deploy.start` is called with. Fields that were left empty are left out, and so are the settings of an existing service that stay.
 * @param preprocessing undefined for what the build carries
 */
export function deployInput(
  draft: DeployDraft,
  existing: Deployment | undefined,
  preprocessing: ProcedureInput<'deploy.start'>['preprocessing'],
): ProcedureInput<'deploy.start'> {
  const { rollout } = draft
  return {
    modelId: draft.modelId ?? '',
    deviceId: draft.deviceId,
    ...given('service', draft.service.trim()),
    ...given('port', draft.port),
    ...(preprocessing === undefined ? {} : { preprocessing }),
    ...(draft.datasetId === undefined ? {} : { datasetId: draft.datasetId }),
    ...given('threads', draft.threads),
    ...given('workers', draft.workers),
    ...given('embedding', draft.embedding.trim()),
    settings: settingsChoices(draft.settings, existing?.settings ?? null),
    // The first release of a service is always a switch.
    rollout: existing ? rolloutInput(rollout) : { kind: 'switch' },
    gate: draft.maxLatencyMs === '' ? {} : { maxLatencyMs: draft.maxLatencyMs as number },
    // Without labels there is nothing to measure it with.
    ...(!draft.datasetId || draft.maxAccuracyDropPercent === '' ? {} : { maxAccuracyDrop: share(draft.maxAccuracyDropPercent) as number }),
    supervise: draft.supervise,
  }
}

function rolloutInput(draft: RolloutDraft): ProcedureInput<'deploy.start'>['rollout'] {
  const { kind } = draft
  const limits = {
    maxErrorRate: share(draft.maxErrorPercent) as number,
    maxP95Ratio: orNull(draft.maxP95Ratio),
    maxDivergence: share(draft.maxDivergencePercent),
    minRequests: draft.minRequests as number,
  }
  return {
    kind,
    ...(kind === 'split' ? { weight: draft.weight as number } : {}),
    ...(kind === 'canary' ? { steps: parseNumbers(draft.steps), stepSeconds: draft.stepSeconds as number } : {}),
    ...(kind === 'switch' || kind === 'canary' ? { watchSeconds: draft.watchSeconds as number } : {}),
    limits,
  }
}

/** Percent as a share; null where nothing is typed. What is no number stays, so that the schema names the field. */
function share(percent: Typed): number | null {
  if (percent === '') return null
  return typeof percent === 'number' ? percent / 100 : (percent as unknown as number)
}

function orNull(value: Typed): number | null {
  return value === '' ? null : (value as number)
}

function given<K extends string>(key: K, value: Typed): Partial<Record<K, never>> {
  return (value === '' ? {} : { [key]: value }) as Partial<Record<K, never>>
}
