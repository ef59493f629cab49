import type { ProcedureInput } from '../../../../contract/procedures.ts'

type Typed = number | string

/** The validation form; the contract's defaults at first. */
export interface ValidationDraft {
  readonly datasetId: string | null
  readonly samples: Typed
  readonly maxLatencyMs: Typed
  /** Percentage points. */
  readonly maxAccuracyDropPercent: Typed
  readonly requestsPerSecond: Typed
  readonly seconds: Typed
  readonly restart: boolean
}

export function newValidationDraft(): ValidationDraft {
  return {
    datasetId: null,
    samples: 500,
    maxLatencyMs: 50,
    maxAccuracyDropPercent: 1,
    requestsPerSecond: 100,
    seconds: 10,
    restart: true,
  }
}

/** What `validate.start` is called with; what is no number stays, so that the schema names the field. */
export function validationInput(deploymentId: string, draft: ValidationDraft): ProcedureInput<'validate.start'> {
  const { datasetId, maxAccuracyDropPercent: drop } = draft
  return {
    deploymentId,
    ...(datasetId === null ? {} : { datasetId }),
    samples: draft.samples as number,
    maxLatencyMs: draft.maxLatencyMs as number,
    maxAccuracyDrop: typeof drop === 'number' ? drop / 100 : (drop as unknown as number),
    requestsPerSecond: draft.requestsPerSecond as number,
    seconds: draft.seconds as number,
    restart: draft.restart,
  }
}
