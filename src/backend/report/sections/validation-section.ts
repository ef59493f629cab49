import type { Validation } from '../../../contract/deployment.ts'
import { type Block, chip, facts, heading, list, table, text } from '../blocks/report-block.ts'
import { formatCount, formatMs, formatSignificant } from '../quantities.ts'

/** What a validation found: the verdict, every check with its limit, and the load test. */
export function validationBlocks(validation: Validation): Block[] {
  const { checks, load, accuracy, warnings, createdAt, model } = validation
  return [
    heading(2, validationTitle(validation)),
    text(validationSentence(validation), 'headline'),
    text(`${createdAt}. It serves ${model}.`, 'soft'),
    {
      kind: 'table',
      look: 'results',
      columns: [{ title: 'check' }, { title: 'verdict' }, { title: 'found' }, { title: 'limit' }],
      rows: checks.map(({ name, passed, measured, limit }) => [name, verdictChip(passed), measured, limit]),
    },
    ...(load
      ? [
          heading(3, 'Load test'),
          facts([
            [
              'requests',
              `${formatCount(load.requests)} in ${formatSignificant(load.seconds)} s over ${formatCount(load.connections)} connections, ${formatCount(load.errors)} without a prediction`,
            ],
            ['rate', `${formatSignificant(load.achievedPerSecond)} a second, ${formatSignificant(load.requestsPerSecond)} were asked for`],
          ]),
          table(
            ['>p50', '>p90', '>p95', '>p99', '>largest', '>mean'],
            [
              [load.latencyMs.p50, load.latencyMs.p90, load.latencyMs.p95, load.latencyMs.p99, load.latencyMs.max, load.latencyMs.mean].map(
                formatMs,
              ),
            ],
          ),
        ]
      : []),
    ...(accuracy
      ? [
          text(
            `Answers of the service on ${formatCount(accuracy.samples)} samples: ${accuracy.metric} ${accuracy.measured.toFixed(4)}, measured before on the same samples: ${accuracy.expected.toFixed(4)}.`,
          ),
        ]
      : []),
    ...(warnings.length > 0 ? [list(warnings, { tone: 'warning' })] : []),
  ]
}

export function validationTitle({ service, device }: Pick<Validation, 'service' | 'device'>): string {
  return `Validation of ${service} on ${device}`
}

/** The verdict in a sentence. */
export function validationSentence({ checks, passed }: Validation): string {
  const missed = checks.filter((check) => check.passed === false).map(({ name }) => name)
  const open = checks.filter((check) => check.passed === null).map(({ name }) => name)
  const unknown = open.length > 0 ? ` Not checked: ${open.join(', ')}.` : ''
  return passed ? `Every check that was made was passed.${unknown}` : `Failed: ${missed.join(', ')}.${unknown}`
}

function verdictChip(passed: boolean | null) {
  return passed === null ? chip('not checked', 'neutral') : passed ? chip('passed', 'good') : chip('failed', 'bad')
}
