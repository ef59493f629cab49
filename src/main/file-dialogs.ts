import { join } from 'node:path'
import { app, type BrowserWindow, dialog, type FileFilter } from 'electron'
import type { DialogRequest } from '../contract/bridge.ts'

const filters: Readonly<Record<DialogRequest['kind'], FileFilter[]>> = {
  'open-model': [{ name: 'ONNX models', extensions: ['onnx'] }],
  'open-dataset': [
    { name: 'Datasets (.npz, IDX)', extensions: ['npz', 'gz'] },
    { name: 'All files', extensions: ['*'] },
  ],
  'open-key': [{ name: 'Private keys', extensions: ['*'] }],
  'save-model': [{ name: 'ONNX models', extensions: ['onnx'] }],
  'save-report': [{ name: 'HTML report', extensions: ['html'] }],
}

/** Asks the user for a path; null when they cancel. */
export async function chooseFile(window: BrowserWindow, request: DialogRequest): Promise<string | null> {
  if (request.kind === 'save-model' || request.kind === 'save-report') {
    const name = request.name.replace(/[^\p{L}\p{N} ._+()-]/gu, '_')
    const answer = await dialog.showSaveDialog(window, {
      defaultPath: join(app.getPath('documents'), name),
      filters: filters[request.kind],
    })
    return answer.canceled ? null : answer.filePath
  }
  const properties: ('openFile' | 'showHiddenFiles')[] = request.kind === 'open-key' ? ['openFile', 'showHiddenFiles'] : ['openFile']
  const answer = await dialog.showOpenDialog(window, {
    properties,
    filters: filters[request.kind],
    ...(request.kind === 'open-key' ? { defaultPath: join(app.getPath('home'), '.ssh') } : {}),
  })
  return answer.canceled ? null : (answer.filePaths[0] ?? null)
}
