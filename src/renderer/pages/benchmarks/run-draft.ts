import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import type { BenchSettings, Runtime, Scenario } from '../../../contract/measurement.ts'
import { type ProcedureInput, procedures } from '../../../contract/procedures.ts'
import { fieldErrors } from '../../forms/field-errors.ts'
import { scenarioGuide } from './scenario-guide.ts'

/** The form for a new run as it stands. */
export interface RunDraft {
  readonly modelId: string | null
  readonly deviceId: string
  readonly scenario: Scenario
  /** Counts where the scenario can be measured with it. */
  readonly runtime: Runtime
  /** Whole numbers with commas: more than one makes a sweep. */
  readonly batches: string
  readonly threads: string
  readonly length: 'runs' | 'seconds'
  /** Settings that differ from the defaults, by their names in the contract. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** What is started for a draft. */
export type RunRequest =
  | { readonly kind: 'bench'; readonly input: ProcedureInput<'bench.start'> }
  | { readonly kind: 'sweep'; readonly input: ProcedureInput<'sweep.start'> }

/** An empty form, on this computer. `seconds` starts at 5 when it is chosen. */
export function emptyRunDraft(): RunDraft {
  return {
    modelId: null,
    deviceId: LOCAL_DEVICE_ID,
    scenario: 'single',
    runtime: 'onnxruntime',
    batches: '1',
    threads: '1',
    length: 'runs',
    settings: { seconds: 5 },
  }
}

/** `1, 2 4` → [1, 2, 4], each once. Null when something in it is no whole number of at least 1. */
export function readCounts(text: string): number[] | null {
  const words = text.split(/[\s,;]+/).filter((word) => word !== '')
  const counts = words.map(Number)
  return counts.length > 0 && counts.every((count) => Number.isInteger(count) && count >= 1) ? [...new Set(counts)] : null
}

/** Whether the scenario can be measured with TensorRT, and it is asked for. */
export function isTensorRt({ runtime, scenario }: Pick<RunDraft, 'runtime' | 'scenario'>): boolean {
  return runtime === 'tensorrt' && (scenario === 'single' || scenario === 'batch')
}

/** What the draft asks for: a sweep where there is more than one combination. Values that cannot be read are left for the schema to refuse. */
export function runRequest(draft: RunDraft): RunRequest {
  const applies = new Set<string>(scenarioGuide[draft.scenario].settings)
  const batches = applies.has('batch') ? (readCounts(draft.batches) ?? []) : [1]
  const tensorRt = isTensorRt(draft)
  // Threads are ONNX Runtime's.
  const threadCounts = tensorRt ? [1] : (readCounts(draft.threads) ?? [])
  const settings: Record<string, unknown> = { scenario: draft.scenario }
  const lengths = draft.length === 'runs' ? ['runs'] : ['seconds']
  for (const key of [...lengths, 'warmupRuns', 'warmupSeconds', ...applies]) {
    if (draft.settings[key] !== undefined && key !== 'batch' && key !== 'threads') settings[key] = draft.settings[key]
  }
  if (tensorRt) {
    settings.runtime = 'tensorrt'
    if (draft.settings.fp16 !== undefined) settings.fp16 = draft.settings.fp16
  }
  // A rate decides how requests come; connections count only without one.
  if (settings.rate !== undefined) delete settings.connections
  const common = { modelId: draft.modelId ?? '', deviceId: draft.deviceId }
  if (batches.length === 1 && threadCounts.length === 1) {
    return {
      kind: 'bench',
      input: { ...common, settings: { ...settings, batch: batches[0], threads: threadCounts[0] } as Partial<BenchSettings> },
    }
  }
  return { kind: 'sweep', input: { ...common, settings: settings as Partial<BenchSettings>, batches, threadCounts } }
}

/** What is wrong with a draft, by field: `modelId`, `batches`, `threads`, and the settings by their names. */
export function runDraftErrors(draft: RunDraft): Record<string, string> {
  const request = runRequest(draft)
  const found = fieldErrors(procedures[request.kind === 'bench' ? 'bench.start' : 'sweep.start'].input, request.input)
  const errors: Record<string, string> = {}
  for (const [path, message] of Object.entries(found)) {
    const field = path.replace(/^settings\./, '')
    errors[field === 'threadCounts' ? 'threads' : field === 'batch' ? 'batches' : field] = message
  }
  const unread = 'Whole numbers of at least 1, with commas between them'
  if (!isTensorRt(draft) && readCounts(draft.threads) === null) errors.threads = unread
  if (scenarioGuide[draft.scenario].settings.includes('batch') && readCounts(draft.batches) === null) errors.batches = unread
  if (draft.scenario === 'server' && draft.settings.rate === undefined) errors.rate = 'How many requests come in a second?'
  return errors
}
