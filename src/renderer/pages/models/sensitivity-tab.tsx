import { Button, Group, NumberInput, Select } from '@mantine/core'
import { useState } from 'react'
import type { Model } from '../../../contract/model.ts'
import { procedures } from '../../../contract/procedures.ts'
import { storedError } from '../../backend/backend-error.ts'
import { jobResult } from '../../backend/job-result.ts'
import { startedWith } from '../../backend/started-jobs.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { isActive, useJobs } from '../../backend/use-jobs.ts'
import detailClasses from '../../components/detail.module.css'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { LabelledDatasetSelect } from '../../components/labelled-dataset-select.tsx'
import { Section } from '../../components/section.tsx'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { fieldErrors } from '../../forms/field-errors.ts'
import classes from './sensitivity.module.css'
import { SensitivityResult } from './sensitivity-result.tsx'

/** The contract's default: enough to rank nodes by, few enough to wait for. */
const DEFAULT_SAMPLES = 64

/** Which nodes of a model suffer most from int8: what to measure with, then the ranking. */
export function SensitivityTab({ model }: { model: Model }) {
  const { data: datasets } = useCall('datasets.list', {})
  const { data: jobs } = useJobs()
  const [calibrationId, setCalibrationId] = useState<string | null>(null)
  const [datasetId, setDatasetId] = useState<string | null>(null)
  const [samples, setSamples] = useState(DEFAULT_SAMPLES)
  const start = useAction('sensitivity.start', { showsError: true })
  const job = jobs?.find(({ id }) => startedWith(id, 'sensitivity.start')?.modelId === model.id)
  const input = { modelId: model.id, calibrationId: calibrationId ?? '', samples, ...(datasetId ? { datasetId } : {}) }
  const errors = fieldErrors(procedures['sensitivity.start'].input, input)
  const report = jobResult(job, 'sensitivity.start')
  return (
    <div className={detailClasses.sections}>
      <Section title="Which nodes suffer from INT8">
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault()
            if (Object.keys(errors).length === 0) start.mutate(input)
          }}
        >
          <p className="es-dim">
            Quantizes one node at a time and measures what that costs and gains on this computer. Leave the worst in float, or give Optimize
            an accuracy budget and let it choose.
          </p>
          <div className={classes.fields}>
            <Select
              label="Calibration data"
              description="Typical samples; labels are not needed"
              data={(datasets ?? []).map(({ id, name, report: found }) => ({
                value: id,
                label: `${plainText(name, 60)} (${formatCount(found.samples)})`,
              }))}
              value={calibrationId}
              onChange={setCalibrationId}
              placeholder={datasets?.length === 0 ? 'Import a dataset first' : 'Choose a dataset'}
              data-testid="sensitivity-calibration"
            />
            <LabelledDatasetSelect
              label="Labelled data"
              description="To rank by accuracy; optional"
              value={datasetId}
              onChange={setDatasetId}
              placeholder="Rank by signal to noise"
              testId="sensitivity-dataset"
            />
            <NumberInput
              label="Samples"
              description="for calibration"
              value={samples}
              onChange={(value) => setSamples(value === '' ? Number.NaN : Number(value))}
              error={errors.samples}
              allowDecimal={false}
              step={64}
              data-testid="sensitivity-samples"
            />
          </div>
          {start.error ? <ErrorNotice error={start.error} onClose={start.reset} /> : null}
          <Group justify="flex-end">
            <Button
              type="submit"
              disabled={Object.keys(errors).length > 0 || (job !== undefined && isActive(job))}
              loading={start.isPending}
              data-testid="sensitivity-start"
            >
              Start
            </Button>
          </Group>
        </form>
      </Section>
      {job && isActive(job) ? <JobProgress job={job} /> : null}
      {job?.error ? <ErrorNotice error={storedError(job.error)} /> : null}
      {report ? <SensitivityResult report={report} /> : null}
    </div>
  )
}
