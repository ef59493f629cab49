import { Button, Group, Modal, NumberInput, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { procedures } from '../../contract/procedures.ts'
import { bridge } from '../backend/bridge.ts'
import { useAction } from '../backend/use-action.ts'
import { ErrorNotice } from '../components/error-notice.tsx'
import { plainText } from '../format/plain-text.ts'
import { fieldErrors } from '../forms/field-errors.ts'
import classes from './dataset-import-dialog.module.css'
import { type DatasetPlan, fileName } from './import-plan.ts'
import { makePreprocessing, type ScaleChoice } from './make-preprocessing.ts'

interface DatasetImportDialogProps {
  readonly plan: DatasetPlan
  readonly onClose: () => void
}

/** Asks for a name and the preprocessing, then imports a dataset. */
export function DatasetImportDialog({ plan, onClose }: DatasetImportDialogProps) {
  const isIdx = !/\.npz$/i.test(plan.path)
  const [, navigate] = useLocation()
  const [name, setName] = useState('')
  const [labelsPath, setLabelsPath] = useState(plan.labelsPath ?? '')
  const [scaleChoice, setScaleChoice] = useState<ScaleChoice>(isIdx ? 'bytes' : 'none')
  const [scale, setScale] = useState<number | string>('')
  const [mean, setMean] = useState('')
  const [std, setStd] = useState('')
  const importDataset = useAction('datasets.import', { showsError: true })

  const input = {
    path: plan.path,
    ...(labelsPath ? { labelsPath } : {}),
    ...(name.trim() ? { name } : {}),
    ...makePreprocessing({ scaleChoice, scale, mean, std }),
  }
  const errors = fieldErrors(procedures['datasets.import'].input, input)

  return (
    <Modal opened onClose={onClose} title="Import dataset" size="md">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          importDataset.mutate(input, {
            onSuccess: (dataset) => {
              onClose()
              navigate(`/datasets/${dataset.id}`)
            },
          })
        }}
      >
        <Stack gap="sm">
          <div className={`${classes.path} es-wrap`}>{plainText(plan.path, 400)}</div>
          <TextInput
            label="Name"
            placeholder={plainText(fileName(plan.path), 80)}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={name.trim() ? errors.name : undefined}
            data-autofocus
          />
          {isIdx ? (
            <Group gap="xs" align="flex-end" wrap="nowrap">
              <TextInput
                label="Labels file"
                description="Found beside the images when left empty"
                value={labelsPath}
                onChange={(event) => setLabelsPath(event.currentTarget.value)}
                flex={1}
              />
              <Button
                variant="default"
                onClick={async () => setLabelsPath((await bridge().chooseFile({ kind: 'open-dataset' })) ?? labelsPath)}
              >
                Choose…
              </Button>
            </Group>
          ) : null}
          <Select
            label="Values"
            description="Must be what the model was trained with. It travels with every build to the device."
            data={[
              { value: 'none', label: 'Use as they are' },
              { value: 'bytes', label: 'Divide by 255 (bytes to 0…1)' },
              { value: 'custom', label: 'Multiply by a number' },
            ]}
            value={scaleChoice}
            onChange={(value) => setScaleChoice((value ?? 'none') as ScaleChoice)}
            allowDeselect={false}
          />
          {scaleChoice === 'custom' ? (
            <NumberInput label="Factor" value={scale} onChange={setScale} error={errors['preprocessing.scale']} />
          ) : null}
          <Group grow gap="xs" align="flex-start">
            <TextInput
              label="Mean of each channel"
              placeholder="0.485, 0.456, 0.406"
              value={mean}
              onChange={(event) => setMean(event.currentTarget.value)}
              error={errors['preprocessing.mean']}
            />
            <TextInput
              label="Standard deviation"
              placeholder="0.229, 0.224, 0.225"
              value={std}
              onChange={(event) => setStd(event.currentTarget.value)}
              error={errors['preprocessing.std']}
            />
          </Group>
          {importDataset.error ? <ErrorNotice error={importDataset.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={importDataset.isPending} disabled={Object.keys(errors).length > 0} data-testid="dataset-import">
              Import
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
