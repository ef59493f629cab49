import { z } from 'zod'
import { datasetSchema } from '../dataset.ts'
import { doctorCheckSchema } from '../doctor.ts'
import { comparisonSchema } from '../measurement.ts'
import { modelSchema } from '../model.ts'
import { targetSchema } from '../names.ts'
import { call, nothing, start } from './procedure.ts'

/** The workspace, the bundled samples and the installation. */
export const workspaceProcedures = {
  'workspace.describe': call(
    'Where the workspace is, how much disk it takes and what version runs',
    nothing,
    z.object({ path: z.string(), sizeBytes: z.number(), version: z.string(), nodeVersion: z.string(), hostTarget: targetSchema }),
  ),
  'samples.import': call(
    'Import the bundled sample models and datasets',
    nothing,
    z.object({ models: z.array(modelSchema), datasets: z.array(datasetSchema) }),
  ),
  'guided.start': start(
    'The whole main job on the bundled samples: quantize, prune, compare, serve, report',
    nothing,
    z.object({ reportPath: z.string(), comparison: comparisonSchema, predictHttpStatus: z.number() }),
  ),
  'doctor.run': call('What is installed and what is missing', nothing, z.array(doctorCheckSchema)),
} as const
