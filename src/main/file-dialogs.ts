import { join } from 'node:path'
import { app, type BrowserWindow, dialog, type FileFilter } from 'electron'
import type { DialogRequest } from '../contract/bridge.ts'
import { withReportEnding } from './report-ending.ts'

const reportFilters: readonly FileFilter[] = [
  { name: 'HTML report', extensions: ['html'] },
  { name: 'PDF', extensions: ['pdf'] },
  { name: 'Markdown', extensions: ['md'] },
  { name: 'JSON, can be imported again', extensions: ['json'] },
  { name: 'CSV', extensions: ['csv'] },
]

const filters: Readonly<Record<DialogRequest['kind'], readonly FileFilter[]>> = {
  'open-model': [{ name: 'ONNX models', extensions: ['onnx'] }],
  'open-dataset': [
    { name: 'Datasets (.npz, .npy, .csv, IDX)', extensions: ['npz', 'npy', 'csv', 'tsv', 'gz'] },
    { name: 'All files', extensions: ['*'] },
  ],
  'open-dataset-folder': [],
  'choose-folder': [],
  'open-report': [{ name: 'Reports written as JSON', extensions: ['json'] }],
  'open-key': [{ name: 'Private keys', extensions: ['*'] }],
  'save-model': [{ name: 'ONNX models', extensions: ['onnx'] }],
  'save-predictions': [
    { name: 'CSV', extensions: ['csv'] },
    { name: 'JSON lines', extensions: ['jsonl'] },
  ],
  'save-report': reportFilters,
}

type OpenProperty = 'openFile' | 'openDirectory' | 'createDirectory' | 'showHiddenFiles'

/** Asks the user for a path; null when they cancel. */
export async function chooseFile(window: BrowserWindow, request: DialogRequest): Promise<string | null> {
  if (request.kind === 'save-model' || request.kind === 'save-predictions' || request.kind === 'save-report') {
    const name = request.name.replace(/[^\p{L}\p{N} ._+()-]/gu, '_')
    const answer = await dialog.showSaveDialog(window, {
      defaultPath: join(app.getPath('documents'), name),
      filters: offered(request.kind, name),
    })
    if (answer.canceled) return null
    return request.kind === 'save-report' ? withReportEnding(answer.filePath, name) : answer.filePath
  }
  const answer = await dialog.showOpenDialog(window, {
    properties: openProperties(request.kind),
    filters: [...filters[request.kind]],
    ...(request.kind === 'open-key' ? { defaultPath: join(app.getPath('home'), '.ssh') } : {}),
  })
  return answer.canceled ? null : (answer.filePaths[0] ?? null)
}

/** The kinds of file, the one of the proposed name first: that is the one the dialog starts with. */
function offered(kind: DialogRequest['kind'], name: string): FileFilter[] {
  const first = filters[kind].filter(({ extensions }) => extensions.some((extension) => name.toLowerCase().endsWith(`.${extension}`)))
  return [...first, ...filters[kind].filter((filter) => !first.includes(filter))]
}

function openProperties(kind: DialogRequest['kind']): OpenProperty[] {
  if (kind === 'open-dataset-folder') return ['openDirectory']
  if (kind === 'choose-folder') return ['openDirectory', 'createDirectory']
  return kind === 'open-key' ? ['openFile', 'showHiddenFiles'] : ['openFile']
}
