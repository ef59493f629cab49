import type { RecipeName } from '../../contract/recipe.ts'

/** What a recipe is and what may honestly be expected of it. */
export interface RecipeGuide {
  readonly title: string
  /** What it does, in a line. */
  readonly what: string
  readonly size: string
  readonly speed: string
  readonly accuracy: string
}

/** Texts for people who choose a recipe. Numbers are typical; the comparison afterwards is what counts. */
export const recipeGuides = {
  'int8-static': {
    title: 'INT8, calibrated',
    what: 'Weights and activations as 8-bit integers, with ranges measured on your samples.',
    size: 'About 4× smaller.',
    speed: 'Usually the fastest on a CPU: often 1.5–2.5×. Small networks with few channels can become slower.',
    accuracy: 'Typically within 1 point; depthwise networks lose more. Needs calibration samples.',
  },
  'int8-dynamic': {
    title: 'INT8, dynamic',
    what: '8-bit weights; activation ranges are found anew at every inference.',
    size: 'About 4× smaller where weights are in matrix products.',
    speed: 'Good for transformers and fully connected layers. Convolutions often become slower.',
    accuracy: 'Typically within 1 point. Needs no data.',
  },
  fp16: {
    title: 'Half precision',
    what: 'Weights and activations as 16-bit floats.',
    size: '2× smaller.',
    speed: 'No gain on most CPUs, and slower on some ARM boards; it pays on GPUs.',
    accuracy: 'Practically unchanged.',
  },
  'prune-magnitude': {
    title: 'Magnitude pruning',
    what: 'The smallest weights become zero; the tensors keep their size.',
    size: 'The same file; it only compresses better in an archive.',
    speed: 'None: ONNX Runtime computes zeros like any number.',
    accuracy: 'Around 2 points at 50 %, falling quickly beyond that.',
  },
} as const satisfies Record<RecipeName, RecipeGuide>
