import { formatCount, formatMs, formatSignificant } from '../backend/report/quantities.ts'
import { validationSentence } from '../backend/report/sections/validation-section.ts'
import type { Validation } from '../contract/deployment.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { textTable } from './text-table.ts'

/** What `validate` prints: a line for each check. */
export function validationText(validation: Validation): string {
  const { service, device, model, checks, load, warnings } = validation
  return [
    `${service} on ${device} (${model}). ${validationSentence(validation)}`,
    '',
    textTable(
      [{ title: '' }, { title: 'check' }, { title: 'found' }, { title: 'limit' }],
      checks.map(({ name, passed, measured, limit }) => [passed === null ? '–' : passed ? 'ok' : 'FAILED', name, measured, limit]),
    ),
    ...(load
      ? [
          '',
          `load: ${formatCount(load.requests)} requests at ${formatSignificant(load.achievedPerSecond)} a second, p50 ${formatMs(load.latencyMs.p50)}, p95 ${formatMs(load.latencyMs.p95)}, p99 ${formatMs(load.latencyMs.p99)}, ${formatCount(load.errors)} errors`,
        ]
      : []),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n')
}

/** The error of the checks that failed; undefined when none did. */
export function validationFailure({ service, checks }: Validation): EdgesmithError | undefined {
  const missed = checks.filter(({ passed }) => passed === false)
  if (missed.length === 0) return undefined
  return new EdgesmithError(
    'GATE_FAILED',
    `${missed.length} of ${checks.length} checks of ${service} failed: ${missed.map(({ name, measured }) => `${name} (${measured})`).join('; ')}`,
    { hint: 'The table above is complete and kept.', details: { missed } },
  )
}
