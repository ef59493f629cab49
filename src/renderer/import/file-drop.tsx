import { Dropzone } from '@mantine/dropzone'
import { IconFileImport } from '@tabler/icons-react'
import { bridge } from '../backend/bridge.ts'
import classes from './file-drop.module.css'
import { useImportFiles } from './import-files.tsx'

/** Which of the dropped files are folders; only the event itself tells. */
const folders = new WeakSet<File>()

/**
 * Files of a drag event. The default of the library asks for file handles, and a file that comes from a handle has no path
 * in Electron; `dataTransfer.files` have one, folders included.
 */
async function filesOf(event: unknown): Promise<File[]> {
  const transfer = (event as { dataTransfer?: DataTransfer | null }).dataTransfer
  const names = new Set(Array.from(transfer?.items ?? []).flatMap(folderName))
  return Array.from(transfer?.files ?? []).map((file) => {
    if (names.has(file.name)) folders.add(file)
    return file
  })
}

/** Entries of one drop lie in one folder, so their names tell them apart. */
function folderName(item: DataTransferItem): string[] {
  const entry = item.webkitGetAsEntry()
  return entry?.isDirectory ? [entry.name] : []
}

/** Takes files and folders that are dropped anywhere on the window. */
export function FileDrop() {
  const { importPaths, isAsking } = useImportFiles()
  function take(files: readonly File[]): void {
    const dropped = files.map((file) => ({ path: bridge().pathOfFile(file), folder: folders.has(file) })).filter(({ path }) => path)
    void importPaths(
      dropped.map(({ path }) => path),
      new Set(dropped.filter(({ folder }) => folder).map(({ path }) => path)),
    )
  }
  return (
    <Dropzone.FullScreen
      active={!isAsking}
      getFilesFromEvent={filesOf as never}
      onDrop={take}
      classNames={{ root: classes.root, inner: classes.inner }}
    >
      <IconFileImport size={40} stroke={1.3} aria-hidden />
      <div className={classes.title}>Drop to import</div>
      <div className={classes.kinds}>Models: .onnx · Datasets: .npz, .npy, .csv, IDX, folders of images (one folder a class)</div>
    </Dropzone.FullScreen>
  )
}
