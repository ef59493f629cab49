import type { Model } from '../../../contract/model.ts'
import { bridge } from '../../backend/bridge.ts'
import { call } from '../../backend/call.ts'
import { notifyDone, notifyError } from '../../components/notify.tsx'
import { formatBytes } from '../../format/bytes.ts'

/** Asks where to, then writes a model to a file. */
export async function exportModel(model: Model): Promise<void> {
  const path = await bridge().chooseFile({ kind: 'save-model', name: `${model.name}.onnx` })
  if (path === null) return
  try {
    const written = await call('models.export', { id: model.id, path })
    notifyDone(`Wrote ${formatBytes(written.sizeBytes)} to ${written.path}`)
  } catch (error) {
    notifyError(error, 'Not exported')
  }
}
