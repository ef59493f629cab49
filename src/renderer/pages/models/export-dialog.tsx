import { Button, Checkbox, Group, Modal, Radio, Select, Stack, TextInput } from '@mantine/core'
import { IconFolder } from '@tabler/icons-react'
import { useState } from 'react'
import type { ExportFormat } from '../../../contract/export.ts'
import type { Model } from '../../../contract/model.ts'
import { procedures } from '../../../contract/procedures.ts'
import { storedError } from '../../backend/backend-error.ts'
import { bridge } from '../../backend/bridge.ts'
import { jobResult } from '../../backend/job-result.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { isActive, useJob } from '../../backend/use-jobs.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { plainText } from '../../format/plain-text.ts'
import { fieldErrors } from '../../forms/field-errors.ts'
import classes from './export-dialog.module.css'
import { exportFolder, exportFormats, needsArchitectures } from './export-formats.ts'
import { ExportOutcome } from './export-outcome.tsx'

const processors = [
  { value: 'x64', label: 'x64' },
  { value: 'arm64', label: 'arm64' },
] as const

/** Writes what operations needs to serve a model without Edgesmith. */
export function ExportDialog({ model, onClose }: { model: Model; onClose: () => void }) {
  const { data: datasets } = useCall('datasets.list', {})
  const [format, setFormat] = useState<ExportFormat>('package')
  const [folder, setFolder] = useState('')
  const [datasetId, setDatasetId] = useState<string | null>(null)
  const [architectures, setArchitectures] = useState<readonly ('x64' | 'arm64')[]>(['x64', 'arm64'])
  const [jobId, setJobId] = useState<string | null>(null)
  const start = useAction('export.start', { showsError: true })
  const job = useJob(jobId)
  const result = jobResult(job, 'export.start')
  const input = {
    modelId: model.id,
    format,
    folder: folder.trim(),
    ...(datasetId === null ? {} : { datasetId }),
    ...(needsArchitectures(format) ? { architectures: [...architectures] } : {}),
  }
  const errors = fieldErrors(procedures['export.start'].input, input)
  const busy = job !== undefined && isActive(job)

  async function choose(): Promise<void> {
    const path = await bridge().chooseFile({ kind: 'choose-folder' })
    if (path !== null) setFolder(exportFolder(path, model.name, format))
  }
  if (result) return <ExportOutcome model={model} result={result} onClose={onClose} />
  return (
    <Modal opened onClose={onClose} title={`Export ${plainText(model.name, 60)} for operations`} size={580} closeOnClickOutside={!busy}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          start.mutate(input, { onSuccess: (started) => setJobId(started.jobId) })
        }}
      >
        <Stack gap="sm">
          <Radio.Group
            size="xs"
            label="As"
            value={format}
            onChange={(value) => {
              setFormat(value as ExportFormat)
              if (folder.endsWith(`-${format}`)) setFolder(`${folder.slice(0, -format.length)}${value}`)
            }}
          >
            <Stack gap={7} pt={4}>
              {exportFormats.map((entry) => (
                <Radio
                  key={entry.format}
                  size="xs"
                  value={entry.format}
                  label={entry.label}
                  description={entry.text}
                  disabled={busy}
                  data-testid={`export-${entry.format}`}
                />
              ))}
            </Stack>
          </Radio.Group>
          <div className={classes.folder}>
            <TextInput
              label="Folder"
              description="Made if need be; must be empty"
              value={folder}
              onChange={(event) => setFolder(event.currentTarget.value)}
              error={folder === '' ? undefined : errors.folder}
              disabled={busy}
              data-testid="export-folder"
              spellCheck={false}
            />
            <Button
              variant="default"
              leftSection={<IconFolder size={14} />}
              onClick={() => void choose()}
              disabled={busy}
              data-testid="export-choose"
            >
              Choose…
            </Button>
          </div>
          <Select
            label="Data"
            description="Known answers, ranges of fields and the reference of drift"
            placeholder="What the build was calibrated with"
            data={(datasets ?? []).map(({ id, name }) => ({ value: id, label: plainText(name, 60) }))}
            value={datasetId}
            onChange={setDatasetId}
            disabled={busy}
            clearable
          />
          {needsArchitectures(format) ? (
            <Checkbox.Group
              size="xs"
              label="Processors"
              value={[...architectures]}
              onChange={(values) => setArchitectures(values as ('x64' | 'arm64')[])}
              error={errors.architectures}
            >
              <Group gap="md" pt={4}>
                {processors.map(({ value, label }) => (
                  <Checkbox key={value} value={value} label={label} disabled={busy} />
                ))}
              </Group>
            </Checkbox.Group>
          ) : null}
          {busy ? <JobProgress job={job} /> : null}
          {job?.error ? <ErrorNotice error={storedError(job.error)} onClose={() => setJobId(null)} /> : null}
          {start.error ? <ErrorNotice error={start.error} onClose={start.reset} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {busy ? 'Close' : 'Cancel'}
            </Button>
            <Button type="submit" disabled={busy || Object.keys(errors).length > 0} loading={start.isPending} data-testid="export-start">
              Export
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
