import { Button, Group } from '@mantine/core'
import { useEffect } from 'react'
import { useLocation } from 'wouter'
import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { procedures } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { DeviceSelect } from '../../components/device-select.tsx'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { ModelSelect } from '../../components/model-select.tsx'
import { Section } from '../../components/section.tsx'
import { fieldErrors } from '../../forms/field-errors.ts'
import { settingFields } from '../../forms/setting-fields.ts'
import { SettingInput } from '../../forms/setting-input.tsx'
import { useDraft } from '../../hooks/use-draft.ts'
import classes from './run-form.module.css'

const fields = settingFields(procedures['profile.start'].input.pick({ batch: true, threads: true }))
const explained: Readonly<Record<string, string>> = { batch: 'samples in one inference', threads: 'inside an operator' }

interface ProfileDraft {
  readonly modelId: string | null
  readonly deviceId: string
  readonly settings: Readonly<Record<string, unknown>>
}

/** Chooses which model is profiled where. */
export function NewProfile({ modelId }: { modelId: string | null }) {
  const [, navigate] = useLocation()
  const { data: models } = useCall('models.list', {})
  const [draft, setDraft] = useDraft<ProfileDraft>('profile', () => ({ modelId: null, deviceId: LOCAL_DEVICE_ID, settings: {} }))
  const start = useAction('profile.start', { showsError: true })
  useEffect(() => {
    if (modelId !== null) setDraft((previous) => ({ ...previous, modelId }))
  }, [modelId, setDraft])
  const input = { ...draft.settings, modelId: draft.modelId ?? '', deviceId: draft.deviceId }
  const errors = fieldErrors(procedures['profile.start'].input, input)
  const ready = Object.keys(errors).length === 0
  return (
    <form
      className={classes.form}
      aria-label="New profile"
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) start.mutate(input, { onSuccess: ({ jobId }) => navigate(`/benchmarks/profiles/${jobId}`) })
      }}
    >
      <Section title="What and where">
        <div className={classes.pair}>
          <ModelSelect
            label="Model"
            description="A model or a build"
            models={models ?? []}
            value={draft.modelId}
            onChange={(id) => setDraft({ ...draft, modelId: id })}
            testId="profile-model"
          />
          <DeviceSelect value={draft.deviceId} onChange={(deviceId) => setDraft({ ...draft, deviceId })} testId="profile-device" />
          {fields.map((field) => (
            <SettingInput
              key={field.key}
              field={{ ...field, description: explained[field.key] ?? field.description }}
              value={draft.settings[field.key]}
              error={errors[field.key]}
              onChange={(value) => setDraft({ ...draft, settings: { ...draft.settings, [field.key]: value } })}
            />
          ))}
        </div>
      </Section>
      <div className={classes.foot}>
        {start.error ? <ErrorNotice error={start.error} onClose={start.reset} /> : null}
        <Group justify="space-between" wrap="nowrap">
          <span className="es-dim">
            {draft.modelId === null ? 'Choose a model.' : 'Profiling costs time itself; the plain time is measured beside it.'}
          </span>
          <Button type="submit" size="sm" disabled={!ready} loading={start.isPending} data-testid="profile-start">
            Start
          </Button>
        </Group>
      </div>
    </form>
  )
}
