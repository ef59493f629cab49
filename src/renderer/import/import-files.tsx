import { notifications } from '@mantine/notifications'
import { createContext, type ReactNode, useContext, useMemo, useState } from 'react'
import { useLocation } from 'wouter'
import type { Model } from '../../contract/model.ts'
import { BackendError } from '../backend/backend-error.ts'
import { bridge } from '../backend/bridge.ts'
import { call } from '../backend/call.ts'
import { notifyDone, notifyError } from '../components/notify.tsx'
import { plainText } from '../format/plain-text.ts'
import { DatasetImportDialog } from './dataset-import-dialog.tsx'
import { type DatasetPlan, datasetFormat, fileName, planImport } from './import-plan.ts'

/** How files come into the workspace. */
interface ImportFiles {
  /** Files and folders by their paths: models at once, datasets after a word on how to read them. */
  readonly importPaths: (paths: readonly string[], folders?: ReadonlySet<string>) => Promise<void>
  /** Asks for an .onnx file and imports it. */
  readonly chooseModel: () => Promise<void>
  /** Asks for a dataset file. */
  readonly chooseDataset: () => Promise<void>
  /** Asks for a folder of images. */
  readonly chooseFolder: () => Promise<void>
  /** True while a dialog of an import is open. */
  readonly isAsking: boolean
}

const ImportFilesContext = createContext<ImportFiles | null>(null)

/** Importing, from anywhere in the window. */
export function useImportFiles(): ImportFiles {
  const value = useContext(ImportFilesContext)
  if (!value) throw new Error('useImportFiles outside of ImportFilesProvider')
  return value
}

/** Holds the datasets that wait for their dialog, one after another. */
export function ImportFilesProvider({ children }: { readonly children: ReactNode }) {
  const [, navigate] = useLocation()
  const [waiting, setWaiting] = useState<readonly DatasetPlan[]>([])
  const isAsking = waiting.length > 0

  const value = useMemo<ImportFiles>(() => {
    async function importPaths(paths: readonly string[], folders?: ReadonlySet<string>): Promise<void> {
      const plan = planImport(paths, folders)
      for (const path of plan.unknown) notifyUnknown(path)
      let last: Model | undefined
      for (const path of plan.models) last = (await importModel(path)) ?? last
      if (last) navigate(`/models/${last.id}`)
      setWaiting((before) => [...before, ...plan.datasets])
    }
    return {
      importPaths,
      chooseModel: async () => {
        const path = await bridge().chooseFile({ kind: 'open-model' })
        if (path !== null) await importPaths([path])
      },
      // The user said it is a dataset: an ending that says nothing is taken for IDX, which has none.
      chooseDataset: async () => {
        const path = await bridge().chooseFile({ kind: 'open-dataset' })
        if (path !== null) setWaiting((before) => [...before, { path, format: datasetFormat(path) ?? 'idx' }])
      },
      chooseFolder: async () => {
        const path = await bridge().chooseFile({ kind: 'open-dataset-folder' })
        if (path !== null) setWaiting((before) => [...before, { path, format: 'images' }])
      },
      isAsking,
    }
  }, [navigate, isAsking])

  const [plan, ...rest] = waiting
  return (
    <ImportFilesContext value={value}>
      {children}
      {plan ? <DatasetImportDialog key={plan.path} plan={plan} onClose={() => setWaiting(rest)} /> : null}
    </ImportFilesContext>
  )
}

function notifyUnknown(path: string): void {
  notifyError(
    new BackendError({
      code: 'USAGE',
      message: `${fileName(path)} is neither a model nor a dataset that Edgesmith reads.`,
      hint: 'Models are .onnx files; datasets are .npz, .npy, .csv or IDX files (images and labels, also gzipped), or folders of images.',
    }),
    'Not imported',
  )
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
