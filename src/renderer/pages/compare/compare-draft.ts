import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import type { ProcedureInput } from '../../../contract/procedures.ts'

/** The form for a new comparison as it stands. */
export interface CompareDraft {
  readonly baselineId: string | null
  readonly modelIds: readonly string[]
  readonly deviceId: string
  readonly datasetId: string | null
  /** Null: not chosen by hand yet, a labelled dataset is suggested. */
  readonly datasetChosen: boolean
  /** Measurement settings that differ from the defaults, by their names in the contract; `blocks` and `control` among them. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** An empty form, on this computer. */
export function emptyCompareDraft(): CompareDraft {
  return { baselineId: null, modelIds: [], deviceId: LOCAL_DEVICE_ID, datasetId: null, datasetChosen: false, settings: {} }
}

/** The form with another baseline; the baseline is never compared with itself. */
export function withBaseline(draft: CompareDraft, baselineId: string | null): CompareDraft {
  return { ...draft, baselineId, modelIds: draft.modelIds.filter((id) => id !== baselineId) }
}

/** The form with a model ticked or not. */
export function withModel(draft: CompareDraft, modelId: string, ticked: boolean): CompareDraft {
  const others = draft.modelIds.filter((id) => id !== modelId)
  return { ...draft, modelIds: ticked ? [...others, modelId] : others }
}

/** The form for a device that has no TensorRT. */
export function withoutTensorRt(draft: CompareDraft): CompareDraft {
  const { runtime: _, fp16: __, ...settings } = draft.settings
  return { ...draft, settings }
}

/** What `compare.start` is called with. */
export function compareInput(draft: CompareDraft): ProcedureInput<'compare.start'> {
  const { blocks, control, ...settings } = draft.settings
  return {
    baselineId: draft.baselineId ?? '',
    modelIds: [...draft.modelIds],
    deviceId: draft.deviceId,
    ...(draft.datasetId ? { datasetId: draft.datasetId } : {}),
    settings: settings as ProcedureInput<'compare.start'>['settings'],
    ...(blocks === undefined ? {} : { blocks: blocks as number }),
    ...(control === undefined ? {} : { control: control as boolean }),
  }
}
