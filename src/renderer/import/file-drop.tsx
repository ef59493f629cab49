import { Dropzone } from '@mantine/dropzone'
import { IconFileImport } from '@tabler/icons-react'
import { useState } from 'react'
import { bridge } from '../backend/bridge.ts'
import { DatasetImportDialog } from './dataset-import-dialog.tsx'
import classes from './file-drop.module.css'
import type { DatasetPlan } from './import-plan.ts'
import { useImportFiles } from './use-import-files.ts'

/**
 * Files of a drag event. The default of the library asks for file handles, and a file that comes from a handle has no path
 * in Electron; `dataTransfer.files` have one.
 */
async function filesOf(event: unknown): Promise<File[]> {
  const transfer = (event as { dataTransfer?: DataTransfer | null }).dataTransfer
  return Array.from(transfer?.files ?? [])
}

/** Takes files that are dropped anywhere on the window. */
export function FileDrop() {
  const [datasets, setDatasets] = useState<readonly DatasetPlan[]>([])
  const importFiles = useImportFiles(setDatasets)
  const [first, ...rest] = datasets
  return (
    <>
      <Dropzone.FullScreen
        active={datasets.length === 0}
        getFilesFromEvent={filesOf as never}
        onDrop={(files) => void importFiles(files.map((file) => bridge().pathOfFile(file)).filter(Boolean))}
        classNames={{ root: classes.root, inner: classes.inner }}
      >
        <IconFileImport size={40} stroke={1.3} aria-hidden />
        <div className={classes.title}>Drop to import</div>
        <div className={classes.kinds}>Models: .onnx · Datasets: .npz, IDX images (and labels), also gzipped</div>
      </Dropzone.FullScreen>
      {first ? <DatasetImportDialog key={first.path} plan={first} onClose={() => setDatasets(rest)} /> : null}
    </>
  )
}
