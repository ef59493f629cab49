import { bridge } from '../backend/bridge.ts'
import type { DatasetPlan } from './import-plan.ts'
import { useImportFiles } from './use-import-files.ts'

interface ChooseFiles {
  /** Asks for an .onnx file and imports it. */
  readonly chooseModel: () => Promise<void>
  /** Asks for a dataset file; the import itself follows in a dialog. */
  readonly chooseDataset: () => Promise<void>
}

/** Imports through the system's file dialogs. */
export function useChooseFiles(onDatasets: (plans: readonly DatasetPlan[]) => void): ChooseFiles {
  const importFiles = useImportFiles(onDatasets)
  return {
    chooseModel: async () => {
      const path = await bridge().chooseFile({ kind: 'open-model' })
      if (path !== null) await importFiles([path])
    },
    // The user said it is a dataset: no guessing by its ending.
    chooseDataset: async () => {
      const path = await bridge().chooseFile({ kind: 'open-dataset' })
      if (path !== null) onDatasets([{ path }])
    },
  }
}
