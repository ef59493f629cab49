import type { ModelProto } from 'onnx-buf'
import type { RecipeStep } from '../../contract/recipe.ts'
import { channelsStep } from './channels-step.ts'
import { dynamicStep } from './dynamic-step.ts'
import { graphStep } from './graph-steps.ts'
import { halfStep } from './half-step.ts'
import { magnitudeStep } from './magnitude-step.ts'
import { staticStep } from './static-step.ts'
import type { StepContext, StepResult } from './step-context.ts'
import { weightOnlyStep } from './weight-only-step.ts'

/**
 * Applies one step of a recipe. The model given is not changed.
 * @throws EdgesmithError or CoreError `RECIPE_NOT_APPLICABLE`, `CALIBRATION_NEEDED`, and the runtime's errors
 */
export function applyStep(model: ModelProto, step: RecipeStep, context: StepContext): Promise<StepResult> {
  switch (step.recipe) {
    case 'fp16':
      return halfStep(model, step, context)
    case 'int8-dynamic':
      return dynamicStep(model, step, context)
    case 'int8-static':
      return staticStep(model, step, context)
    case 'int8-weights':
    case 'int4-weights':
      return weightOnlyStep(model, step, context)
    case 'prune-magnitude':
      return magnitudeStep(model, step, context)
    case 'prune-channels':
      return channelsStep(model, step, context)
    case 'extract':
    case 'dynamic-batch':
    case 'opset':
      return graphStep(model, step, context)
  }
}
