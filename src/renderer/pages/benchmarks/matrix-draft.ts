import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { type ProcedureInput, procedures } from '../../../contract/procedures.ts'
import { fieldErrors } from '../../forms/field-errors.ts'

/** The form for a new matrix as it stands. */
export interface MatrixDraft {
  /** In the order of ticking; the first is what the others are compared with. */
  readonly modelIds: readonly string[]
  readonly deviceIds: readonly string[]
  readonly datasetId: string | null
  /** Settings that differ from the defaults, by their names in the contract. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** An empty form, on this computer. */
export function emptyMatrixDraft(): MatrixDraft {
  return { modelIds: [], deviceIds: [LOCAL_DEVICE_ID], datasetId: null, settings: {} }
}

/** What is started for a draft; models and devices that are no longer there are left out. */
export function matrixInput(
  { modelIds, deviceIds, datasetId, settings }: MatrixDraft,
  known: { readonly models: readonly { readonly id: string }[]; readonly devices: readonly { readonly id: string }[] },
): ProcedureInput<'matrix.start'> {
  const isIn = (entries: readonly { readonly id: string }[]) => (id: string) => entries.some((entry) => entry.id === id)
  return {
    modelIds: modelIds.filter(isIn(known.models)),
    deviceIds: deviceIds.filter(isIn(known.devices)),
    settings,
    ...(datasetId === null ? {} : { datasetId }),
  }
}

/** What is wrong with it, by field: `modelIds`, `deviceIds`, and the settings by their names. */
export function matrixErrors(input: ProcedureInput<'matrix.start'>): Record<string, string> {
  const found = fieldErrors(procedures['matrix.start'].input, input)
  return Object.fromEntries(Object.entries(found).map(([path, message]) => [path.replace(/^settings\./, ''), message]))
}
