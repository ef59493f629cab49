import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import { procedures } from '../../contract/procedures.ts'
import { storedError } from '../backend/backend-error.ts'
import { jobResult } from '../backend/job-result.ts'
import { useAction } from '../backend/use-action.ts'
import { isActive, useJob } from '../backend/use-jobs.ts'
import { ErrorNotice } from '../components/error-notice.tsx'
import { JobProgress } from '../components/job-progress.tsx'
import { plainText } from '../format/plain-text.ts'
import { fieldErrors } from '../forms/field-errors.ts'
import { CsvFields } from './csv-fields.tsx'
import classes from './dataset-import-dialog.module.css'
import { ImageFields } from './image-fields.tsx'
import { emptyImportDraft, importInput } from './import-draft.ts'
import { type DatasetPlan, fileName } from './import-plan.ts'
import { LabelsField } from './labels-field.tsx'
import { ValueFields } from './value-fields.tsx'

interface DatasetImportDialogProps {
  readonly plan: DatasetPlan
  readonly onClose: () => void
}

const titles = {
  npz: 'Import an .npz dataset',
  npy: 'Import an .npy dataset',
  idx: 'Import an IDX dataset',
  csv: 'Import a table',
  images: 'Import a folder of images',
} as const

/** Asks how a dataset is to be read, then imports it: progress, Cancel and errors stay in the dialog. */
export function DatasetImportDialog({ plan, onClose }: DatasetImportDialogProps) {
  const { format } = plan
  const [, navigate] = useLocation()
  const [draft, setDraft] = useState(() => emptyImportDraft(plan))
  const [jobId, setJobId] = useState<string | null>(null)
  const importDataset = useAction('datasets.import', { showsError: true })
  const job = useJob(jobId)
  const busy = importDataset.isPending || (jobId !== null && (job === undefined || isActive(job)))
  const input = importInput(plan, draft)
  const errors = fieldErrors(procedures['datasets.import'].input, input)
  const change = (part: Partial<typeof draft>) => setDraft((before) => ({ ...before, ...part }))
  const fields = { draft, onChange: change, errors }

  const importedId = jobResult(job, 'datasets.import')?.dataset.id
  useEffect(() => {
    if (importedId === undefined) return
    onClose()
    navigate(`/datasets/${importedId}`)
  }, [importedId, navigate, onClose])

  return (
    <Modal opened onClose={onClose} title={titles[format]} size="lg" closeOnClickOutside={!busy}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          importDataset.mutate(input, { onSuccess: (started) => setJobId(started.jobId) })
        }}
      >
        <Stack gap="sm">
          <div className={`${classes.path} es-wrap`}>{plainText(plan.path, 400)}</div>
          <fieldset className={classes.fields} disabled={busy}>
            <TextInput
              label="Name"
              placeholder={plainText(fileName(plan.path), 80)}
              value={draft.name}
              onChange={(event) => change({ name: event.currentTarget.value })}
              error={draft.name.trim() ? errors.name : undefined}
              data-autofocus
            />
            {format === 'idx' || format === 'npy' ? <LabelsField {...fields} /> : null}
            {format === 'images' ? <ImageFields {...fields} /> : null}
            {format === 'csv' ? <CsvFields path={plan.path} {...fields} /> : <ValueFields {...fields} />}
          </fieldset>
          {importDataset.error ? <ErrorNotice error={importDataset.error} /> : null}
          {job && isActive(job) ? <JobProgress job={job} /> : null}
          {job?.error ? <ErrorNotice error={storedError(job.error)} /> : null}
          <Group justify="space-between" gap="xs">
            <span className="es-dim">{busy ? '' : 'Preprocessing can be changed later, with a preview.'}</span>
            <Group gap="xs">
              <Button variant="default" onClick={onClose}>
                {busy ? 'Continue in the background' : 'Cancel'}
              </Button>
              <Button type="submit" loading={busy} disabled={Object.keys(errors).length > 0} data-testid="dataset-import">
                Import
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
