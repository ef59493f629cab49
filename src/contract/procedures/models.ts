import { z } from 'zod'
import { modelReportSchema, modelSchema } from '../model.ts'
import { displayNameSchema, idSchema, pathSchema } from '../names.ts'
import { byId, call, nothing } from './procedure.ts'

/** Models and builds. */
export const modelProcedures = {
  'models.list': call('All models and builds, newest first', nothing, z.array(modelSchema)),
  'models.inspect': call('Everything known about a model, nodes included', z.object({ id: idSchema }), modelReportSchema),
  'models.import': call(
    'Read, check and keep an .onnx file; the same bytes imported twice are one model',
    z.object({ path: pathSchema, name: displayNameSchema.optional() }),
    modelSchema,
  ),
  'models.rename': call('Give a model or build another name', z.object({ id: idSchema, name: displayNameSchema }), modelSchema),
  'models.remove': call('Forget a model or build that nothing else needs', byId, nothing),
  'models.export': call(
    'Write a model or build to a file',
    z.object({ id: idSchema, path: pathSchema }),
    z.object({ path: z.string(), sizeBytes: z.number() }),
  ),
} as const
