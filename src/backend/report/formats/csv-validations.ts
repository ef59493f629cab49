import type { ReportDocument } from '../../../contract/report.ts'
import { rowsOf } from './csv-measures.ts'

/** Numbers of validations: 1 for a check that was passed, 0 for one that was not, and what the load test measured. */
export function validationRows({ validations }: ReportDocument): (string | number)[][] {
  return validations.flatMap(({ id, model, device, service, checks, load, accuracy }) => {
    const run = { kind: 'validation', run: id, model, device, dataset: '' } as const
    return [
      ...checks.flatMap(({ name, passed }) =>
        rowsOf({ ...run, part: service }, [{ metric: `passed.${name}`, value: passed === null ? null : Number(passed), unit: '' }]),
      ),
      ...rowsOf({ ...run, part: service }, [
        ...Object.entries(load?.latencyMs ?? {}).map(([name, value]) => ({ metric: `latency.${name}`, value, unit: 'ms' })),
        { metric: 'offeredRate', value: load?.requestsPerSecond, unit: '1/s' },
        { metric: 'answeredRate', value: load?.achievedPerSecond, unit: '1/s' },
        { metric: 'requests', value: load?.requests, unit: 'count' },
        { metric: 'errors', value: load?.errors, unit: 'count' },
        { metric: 'accuracyThroughService', value: accuracy?.measured, unit: accuracy?.metric ?? '' },
        { metric: 'accuracyExpected', value: accuracy?.expected, unit: accuracy?.metric ?? '' },
      ]),
    ]
  })
}
