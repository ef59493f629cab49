import { readFile } from 'node:fs/promises'
import type { InferenceRuntime, Port } from '../../core/inference-runtime.ts'

/** Inputs of a stored model as the runtime sees them. */
export async function loadPorts(modelPath: string, runtime: InferenceRuntime): Promise<readonly Port[]> {
  const model = await runtime.load(await readFile(modelPath), { optimization: 'disabled' })
  try {
    return model.inputs
  } finally {
    await model.close()
  }
}
