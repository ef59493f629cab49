import { Button, Group, Input, SegmentedControl, TextInput } from '@mantine/core'
import { useEffect } from 'react'
import { useLocation } from 'wouter'
import { benchSettingsSchema, type Scenario } from '../../../contract/measurement.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { DeviceSelect } from '../../components/device-select.tsx'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { ModelSelect } from '../../components/model-select.tsx'
import { RuntimeChoice } from '../../components/runtime-choice.tsx'
import { Section } from '../../components/section.tsx'
import { settingFields } from '../../forms/setting-fields.ts'
import { SettingInput } from '../../forms/setting-input.tsx'
import { useDraft } from '../../hooks/use-draft.ts'
import { tensorRtRefusal } from '../../text/tensorrt-refusal.ts'
import { emptyRunDraft, isTensorRt, type RunDraft, readCounts, runDraftErrors, runRequest } from './run-draft.ts'
import classes from './run-form.module.css'
import { scenarioGuide, scenarios } from './scenario-guide.ts'

const fields = settingFields(benchSettingsSchema)
const explained: Readonly<Record<string, string>> = {
  runs: 'measured one by one',
  seconds: 'measured for this long',
  warmupRuns: 'before measuring',
  warmupSeconds: 'the longer of the two',
  connections: 'without a rate: each sends its next request when the last is answered',
  fp16: 'where the model has 32 bits',
}

/** Chooses what is measured, where, and how; several batch sizes or thread counts make a sweep. */
export function NewRun({ modelId }: { modelId: string | null }) {
  const [, navigate] = useLocation()
  const { data: models } = useCall('models.list', {})
  const { data: devices } = useCall('devices.list', {})
  const [chosen, setDraft] = useDraft<RunDraft>('benchmark', emptyRunDraft)
  const bench = useAction('bench.start', { showsError: true })
  const sweep = useAction('sweep.start', { showsError: true })
  useEffect(() => {
    if (modelId !== null) setDraft((previous) => ({ ...previous, modelId }))
  }, [modelId, setDraft])

  const refusal = tensorRtRefusal(devices?.find(({ id }) => id === chosen.deviceId))
  // Chosen for another device: this one has none.
  const draft: RunDraft = refusal === null ? chosen : { ...chosen, runtime: 'onnxruntime' }
  const guide = scenarioGuide[draft.scenario]
  const tensorRt = isTensorRt(draft)
  const errors = runDraftErrors(draft)
  const ready = Object.keys(errors).length === 0
  const combinations =
    (guide.settings.includes('batch') ? (readCounts(draft.batches)?.length ?? 0) : 1) *
    (tensorRt ? 1 : (readCounts(draft.threads)?.length ?? 0))
  const error = bench.error ?? sweep.error
  function begin(): void {
    const request = runRequest(draft)
    const onSuccess = ({ jobId }: { jobId: string }) => navigate(`/benchmarks/runs/${jobId}`)
    if (request.kind === 'bench') bench.mutate(request.input, { onSuccess })
    else sweep.mutate(request.input, { onSuccess })
  }
  const shownKeys = [
    ...(tensorRt ? ['fp16'] : []),
    draft.length,
    ...guide.settings.filter((key) => key !== 'batch' && key !== 'threads'),
    'warmupRuns',
    'warmupSeconds',
  ]
  return (
    <form
      className={classes.form}
      aria-label="New run"
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) begin()
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
            testId="run-model"
          />
          <DeviceSelect value={draft.deviceId} onChange={(deviceId) => setDraft({ ...draft, deviceId })} testId="run-device" />
        </div>
      </Section>
      <Section title="Scenario">
        <div className={classes.stack}>
          <SegmentedControl
            fullWidth
            data={scenarios.map((name) => ({ value: name, label: scenarioGuide[name].label }))}
            value={draft.scenario}
            onChange={(value) => setDraft({ ...draft, scenario: value as Scenario })}
            aria-label="Scenario"
            data-testid="run-scenario"
          />
          <p className="es-dim" data-testid="run-scenario-text">
            {guide.text}
          </p>
        </div>
      </Section>
      <Section title="How" aside="The defaults are good for most">
        <div className={classes.settings}>
          {draft.scenario === 'single' || draft.scenario === 'batch' ? (
            <RuntimeChoice
              value={draft.runtime}
              onChange={(runtime) => setDraft({ ...draft, runtime })}
              refusal={refusal}
              testId="run-runtime"
            />
          ) : null}
          {guide.settings.includes('batch') ? (
            <TextInput
              label="Batch sizes"
              description="commas make a sweep"
              value={draft.batches}
              onChange={(event) => setDraft({ ...draft, batches: event.currentTarget.value })}
              error={errors.batches}
              data-testid="run-batches"
            />
          ) : null}
          {tensorRt ? null : (
            <TextInput
              label="Threads"
              description="commas make a sweep"
              value={draft.threads}
              onChange={(event) => setDraft({ ...draft, threads: event.currentTarget.value })}
              error={errors.threads}
              data-testid="run-threads"
            />
          )}
          <Input.Wrapper label="Length" description="after the warm-up" labelElement="div" size="xs">
            <SegmentedControl
              fullWidth
              data={[
                { value: 'runs', label: 'Runs' },
                { value: 'seconds', label: 'Seconds' },
              ]}
              value={draft.length}
              onChange={(value) => setDraft({ ...draft, length: value === 'seconds' ? 'seconds' : 'runs' })}
              aria-label="Length"
              mt={4}
            />
          </Input.Wrapper>
          {fields
            .filter(({ key }) => shownKeys.includes(key))
            .map((field) => (
              <SettingInput
                key={field.key}
                field={{ ...field, description: explained[field.key] ?? field.description }}
                value={draft.settings[field.key]}
                error={errors[field.key]}
                onChange={(value) => {
                  const { [field.key]: _, ...rest } = draft.settings
                  setDraft({ ...draft, settings: value === undefined ? rest : { ...rest, [field.key]: value } })
                }}
              />
            ))}
        </div>
      </Section>
      <div className={classes.foot}>
        {error ? (
          <ErrorNotice
            error={error}
            onClose={() => {
              bench.reset()
              sweep.reset()
            }}
          />
        ) : null}
        <Group justify="space-between" wrap="nowrap">
          <span className="es-dim">
            {draft.modelId === null
              ? 'Choose a model.'
              : combinations > 1
                ? `A sweep of ${combinations} runs, one after another.`
                : 'Latency and memory only; for accuracy make an evaluation, for both a comparison.'}
          </span>
          <Button type="submit" size="sm" disabled={!ready} loading={bench.isPending || sweep.isPending} data-testid="run-start">
            Start
          </Button>
        </Group>
      </div>
    </form>
  )
}
