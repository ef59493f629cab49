import type { Validation } from '../../contract/deployment.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { CoreError } from '../../core/core-error.ts'

export type ValidationCheck = Validation['checks'][number]
type CheckName = ValidationCheck['name']

const MOST_CHARACTERS = 1000

export function passed(name: CheckName, measured: string, limit: string): ValidationCheck {
  return check(name, true, measured, limit)
}

export function failed(name: CheckName, measured: string, limit: string): ValidationCheck {
  return check(name, false, measured, limit)
}

/** @param reason why it was not checked */
export function notChecked(name: CheckName, reason: string, limit: string): ValidationCheck {
  return check(name, null, `not checked: ${reason}`, limit)
}

export function check(name: CheckName, isPassed: boolean | null, measured: string, limit: string): ValidationCheck {
  return { name, passed: isPassed, measured: measured.slice(0, MOST_CHARACTERS), limit: limit.slice(0, MOST_CHARACTERS) }
}

/** What went wrong with a check, where it is the service that did; anything else (cancelled, link broken, bugs) is thrown again. */
export function failureOf(error: unknown): string {
  const isService = error instanceof EdgesmithError && SERVICE_CODES.has(error.code)
  if (isService || error instanceof CoreError) return error.message
  throw error
}

const SERVICE_CODES: ReadonlySet<string> = new Set([
  'SERVICE_NOT_RUNNING',
  'SERVICE_REFUSED',
  'DEPLOY_FAILED',
  'MODEL_RUN_FAILED',
  'MODEL_NOT_CLASSIFIER',
  'EVALUATION_IMPOSSIBLE',
  'DATASET_LABELS',
])
