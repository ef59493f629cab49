import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dataset } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import type { HandlersOf } from '../handlers.ts'
import type { Services } from '../services.ts'
import { importDataset } from './import-dataset.ts'
import { importModel } from './models.ts'

/** The bundled models and datasets (`models/`, described in its MANIFEST). */
export function sampleHandlers(services: Services): HandlersOf<'samples'> {
  return {
    'samples.import': async () => {
      const { samplesFolder } = services.layout
      const files = (await readdir(samplesFolder).catch(() => [])).sort()
      const models: Model[] = []
      const datasets: Dataset[] = []
      for (const file of files) {
        const path = join(samplesFolder, file)
        if (file.endsWith('.onnx')) models.push(await importModel(services, path, undefined))
        else if (file.endsWith('.npz')) datasets.push((await importDataset(services, { path })).dataset)
      }
      if (models.length === 0) throw new EdgesmithError('FILE_NOT_FOUND', `There are no sample models in ${samplesFolder}`)
      return { models, datasets }
    },
  }
}
