import { Button, NumberInput, Switch } from '@mantine/core'
import { IconShieldCheck } from '@tabler/icons-react'
import { procedures } from '../../../../contract/procedures.ts'
import { useAction } from '../../../backend/use-action.ts'
import { ErrorNotice } from '../../../components/error-notice.tsx'
import { LabelledDatasetSelect } from '../../../components/labelled-dataset-select.tsx'
import { Section } from '../../../components/section.tsx'
import { fieldErrors } from '../../../forms/field-errors.ts'
import { useDraft } from '../../../hooks/use-draft.ts'
import classes from './validation.module.css'
import { newValidationDraft, type ValidationDraft, validationInput } from './validation-draft.ts'

/** What a service must show before production, and the button that checks it. */
export function ValidationForm({ deploymentId, disabled }: { deploymentId: string; disabled: boolean }) {
  const [draft, setDraft] = useDraft(`validation-${deploymentId}`, newValidationDraft)
  const start = useAction('validate.start', { showsError: true })
  const input = validationInput(deploymentId, draft)
  const errors = fieldErrors(procedures['validate.start'].input, input)
  const set = (key: keyof ValidationDraft) => ({
    value: draft[key] as number | string,
    onChange: (value: number | string) => setDraft({ ...draft, [key]: value }),
  })
  return (
    <Section title="Check before production">
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault()
          start.mutate(input)
        }}
      >
        <div className={classes.fields}>
          <LabelledDatasetSelect
            label="Labelled data"
            description="Accuracy is compared with what was measured before"
            value={draft.datasetId}
            onChange={(datasetId) => setDraft({ ...draft, datasetId })}
            placeholder="Accuracy is not checked"
            testId="validate-dataset"
          />
          <NumberInput
            label="Samples of it"
            {...set('samples')}
            error={errors.samples}
            allowDecimal={false}
            disabled={draft.datasetId === null}
          />
          <NumberInput
            label="Accuracy lost, at most"
            suffix=" pt"
            {...set('maxAccuracyDropPercent')}
            error={errors.maxAccuracyDrop}
            disabled={draft.datasetId === null}
          />
          <NumberInput
            label="p95 latency, at most"
            suffix=" ms"
            {...set('maxLatencyMs')}
            error={errors.maxLatencyMs}
            data-testid="validate-latency"
          />
          <NumberInput
            label="Load"
            suffix=" requests/s"
            {...set('requestsPerSecond')}
            error={errors.requestsPerSecond}
            data-testid="validate-load"
          />
          <NumberInput label="Load for" suffix=" s" {...set('seconds')} error={errors.seconds} data-testid="validate-seconds" />
        </div>
        <Switch
          label="End the serving process as a crash would, and see it come back"
          description="Requests that are on their way at that moment fail: not for a service that is in use"
          checked={draft.restart}
          onChange={(event) => setDraft({ ...draft, restart: event.currentTarget.checked })}
          data-testid="validate-restart"
        />
        {start.error ? <ErrorNotice error={start.error} onClose={start.reset} /> : null}
        <div>
          <Button
            type="submit"
            leftSection={<IconShieldCheck size={14} />}
            disabled={disabled || Object.keys(errors).length > 0}
            loading={start.isPending}
            data-testid="validate-start"
          >
            Validate
          </Button>
        </div>
      </form>
    </Section>
  )
}
