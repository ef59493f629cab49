import { notifications } from '@mantine/notifications'
import { useLocation } from 'wouter'
import type { Model } from '../../contract/model.ts'
import { BackendError } from '../backend/backend-error.ts'
import { call } from '../backend/call.ts'
import { notifyDone, notifyError } from '../components/notify.tsx'
import { plainText } from '../format/plain-text.ts'
import { type DatasetPlan, fileName, planImport } from './import-plan.ts'

/**
 * Returns a function that imports files by their paths: models at once, one after another; datasets are handed to `onDatasets`,
 * because they need a word on preprocessing first.
 */
export function useImportFiles(onDatasets: (plans: readonly DatasetPlan[]) => void): (paths: readonly string[]) => Promise<void> {
  const [, navigate] = useLocation()
  return async (paths) => {
    const plan = planImport(paths)
    for (const path of plan.unknown) {
      notifyError(
        new BackendError({
          code: 'USAGE',
          message: `${fileName(path)} is neither a model nor a dataset that Edgesmith reads.`,
          hint: 'Models are .onnx files; datasets are .npz files or IDX files (images and labels, also gzipped).',
        }),
        'Not imported',
      )
    }
    let last: Model | undefined
    for (const path of plan.models) last = (await importModel(path)) ?? last
    if (last) navigate(`/models/${last.id}`)
    if (plan.datasets.length > 0) onDatasets(plan.datasets)
  }
}

/** Imports one model with a notification while it runs; undefined when it was refused. */
async function importModel(path: string): Promise<Model | undefined> {
  const name = plainText(fileName(path), 60)
  const notice = notifications.show({ loading: true, message: `Importing ${name}`, autoClose: false, withCloseButton: false })
  try {
    const model = await call('models.import', { path })
    notifyDone(`Imported ${model.name}`)
    return model
  } catch (error) {
    notifyError(error, `${name} was not imported`)
    return undefined
  } finally {
    notifications.hide(notice)
  }
}
