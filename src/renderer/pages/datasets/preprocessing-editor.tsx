import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { IconArrowBackUp, IconArrowForwardUp } from '@tabler/icons-react'
import { type KeyboardEvent, useState } from 'react'
import { type Dataset, preprocessingSchema } from '../../../contract/dataset.ts'
import type { Job } from '../../../contract/job.ts'
import { storedError } from '../../backend/backend-error.ts'
import { useAction } from '../../backend/use-action.ts'
import { isActive } from '../../backend/use-jobs.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { fieldErrors } from '../../forms/field-errors.ts'
import { useHistory } from '../../hooks/use-history.ts'
import { draftOf, type PreprocessingDraft, preprocessingOf } from './preprocessing-draft.ts'
import classes from './preprocessing-editor.module.css'
import { PreprocessingForm } from './preprocessing-form.tsx'
import { PreprocessingPreview } from './preprocessing-preview.tsx'

interface PreprocessingEditorProps {
  readonly dataset: Dataset
  /** The job that stores a description, while there is one. */
  readonly job: Job | undefined
  readonly onJob: (jobId: string | null) => void
}

/** The form on one side, what it makes of a sample on the other. */
export function PreprocessingEditor({ dataset, job, onJob }: PreprocessingEditorProps) {
  const { value: draft, set, undo, redo } = useHistory(() => draftOf(dataset.preprocessing))
  const [modelId, setModelId] = useState<string | null>(null)
  const save = useAction('datasets.setPreprocessing', { showsError: true })

  const preprocessing = preprocessingOf(draft)
  const errors = fieldErrors(preprocessingSchema, preprocessing)
  const valid = Object.keys(errors).length === 0
  const changed = JSON.stringify(preprocessing) !== JSON.stringify(preprocessingOf(draftOf(dataset.preprocessing)))
  const busy = save.isPending || (job !== undefined && isActive(job))
  const change = (part: Partial<PreprocessingDraft>, group: string) => set({ ...draft, ...part }, group)

  function onKeyDown(event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return
    const key = event.key.toLowerCase()
    const action = key === 'z' ? (event.shiftKey ? redo : undo) : key === 'y' ? redo : null
    if (key !== 'z' && key !== 'y') return
    event.preventDefault()
    action?.()
  }

  return (
    <form
      className={classes.editor}
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault()
        if (valid && changed) save.mutate({ id: dataset.id, preprocessing }, { onSuccess: (started) => onJob(started.jobId) })
      }}
      data-testid="preprocessing-editor"
    >
      <div className={classes.form}>
        <PreprocessingForm dataset={dataset} draft={draft} errors={errors} onChange={change} />
      </div>
      <div className={classes.preview}>
        <PreprocessingPreview
          dataset={dataset}
          preprocessing={valid ? preprocessing : null}
          modelId={modelId}
          onModel={setModelId}
          onSuggest={(suggested) => set(draftOf(suggested), 'suggest')}
        />
      </div>
      <div className={classes.foot}>
        {save.error ? <ErrorNotice error={save.error} onClose={save.reset} /> : null}
        {job && isActive(job) ? <JobProgress job={job} /> : null}
        {job?.error ? <ErrorNotice error={storedError(job.error)} onClose={() => onJob(null)} /> : null}
        <div className={classes.actions}>
          <Step label="Undo" keys="Ctrl+Z" Icon={IconArrowBackUp} action={undo} testId="preprocessing-undo" />
          <Step label="Redo" keys="Ctrl+Shift+Z" Icon={IconArrowForwardUp} action={redo} testId="preprocessing-redo" />
          <span className={classes.note}>{changed ? (valid ? 'Not saved yet' : 'Mend the marked fields first') : 'As stored'}</span>
          <Button
            variant="default"
            disabled={!changed || busy}
            onClick={() => set(draftOf(dataset.preprocessing), 'reset')}
            data-testid="preprocessing-reset"
          >
            Reset
          </Button>
          <Button type="submit" disabled={!changed || !valid} loading={busy} data-testid="preprocessing-save">
            Save
          </Button>
        </div>
      </div>
    </form>
  )
}

interface StepProps {
  readonly label: string
  readonly keys: string
  readonly Icon: typeof IconArrowBackUp
  readonly action: (() => void) | null
  readonly testId: string
}

function Step({ label, keys, Icon, action, testId }: StepProps) {
  return (
    <Tooltip label={`${label}  ${keys}`}>
      <ActionIcon
        type="button"
        variant="default"
        size={30}
        aria-label={label}
        disabled={!action}
        onClick={() => action?.()}
        data-testid={testId}
      >
        <Icon size={15} />
      </ActionIcon>
    </Tooltip>
  )
}
