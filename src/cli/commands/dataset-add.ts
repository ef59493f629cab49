import { resolve } from 'node:path'
import { z } from 'zod'
import { csvOptionsSchema, type Dataset } from '../../contract/dataset.ts'
import { displayNameSchema } from '../../contract/names.ts'
import { defineCommand } from '../command.ts'
import { preprocessOption, readPreprocessing } from '../common-options.ts'
import { datasetText } from '../dataset-text.ts'
import { setting, text, type ValueOption } from '../option.ts'
import { readJsonFile } from '../read-json-file.ts'
import { shortId } from '../references.ts'
import { runJob } from '../run-job.ts'

const { shape } = csvOptionsSchema
const classesSchema = z.record(z.string(), z.int().min(0).max(1_000_000))

const delimiterOption: ValueOption<z.infer<typeof shape.delimiter>> = {
  kind: 'value',
  placeholder: 'CHAR',
  description: 'of a .csv: , ; | or tab (default: found out)',
  read: (given) => {
    // Shells make it hard to write a tab.
    const parsed = shape.delimiter.unwrap().safeParse(/^(?:tab|\\t)$/i.test(given) ? '\t' : given)
    if (parsed.success) return parsed.data
    throw new Error(`must be "," or ";" or "|" or tab, found "${given}"`)
  },
}

export const datasetAddCommand = defineCommand({
  name: 'dataset add',
  summary: 'Import a dataset: .npz, .npy, IDX, .csv, or a folder with one sub-folder of images for each class',
  positionals: { path: { description: 'the file or folder' } },
  options: {
    name: setting('NAME', displayNameSchema, 'what to call it (default: the name of the file)'),
    labels: text('FILE', 'labels of an IDX or .npy file (IDX: found beside it when left out)'),
    'label-column': text('NAME', 'of a .csv: the column with the label or the value to regress'),
    task: setting('TASK', shape.task.unwrap(), 'of a .csv: what the label column is (default: from its values)'),
    missing: setting('POLICY', shape.missing),
    delimiter: delimiterOption,
    ignore: text('NAME[,NAME…]', 'of a .csv: columns to leave out'),
    'split-column': text('NAME', 'of a .csv: the column that names the split of each row'),
    classes: text('FILE', 'JSON file with the label index of each class folder or label text: {"cat": 0, "dog": 1}'),
    preprocess: { ...preprocessOption, description: 'JSON file that says how samples become model inputs' },
  },
  notes: [
    'Folders called train, val and test at the top become splits; so do arrays called x_train, y_train, x_test, y_test.',
    'Any command that takes a dataset also takes a path; this one gives names and options.',
  ],
  examples: [
    'dataset add photos/ --preprocess imagenet.json',
    'dataset add wine.csv --label-column quality --task regression --missing mean',
    'dataset add x.npy --labels y.npy --name digits',
  ],
  run: async (context, options, { path }) => {
    const csv = {
      label: options['label-column'],
      task: options.task,
      missing: options.missing,
      delimiter: options.delimiter,
      ignore: options.ignore?.split(',').map((name) => name.trim()),
      splitColumn: options['split-column'],
    }
    const given = Object.fromEntries(Object.entries(csv).filter(([, value]) => value !== undefined))
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const classes =
      options.classes === undefined
        ? undefined
        : await readJsonFile(context.workingFolder, options.classes, classesSchema, 'DATASET_LABELS')
    const begun = new Date().toISOString()
    const { dataset, splits } = await runJob(context, 'datasets.import', {
      path: resolve(context.workingFolder, path),
      ...(options.labels !== undefined && { labelsPath: resolve(context.workingFolder, options.labels) }),
      ...(options.name !== undefined && { name: options.name }),
      ...(preprocessing && { preprocessing }),
      ...(Object.keys(given).length > 0 && { csv: given }),
      ...(classes && { classes }),
    })
    if (dataset.createdAt < begun) context.terminal.note(alreadyThere(dataset, options.name))
    return { document: { dataset, splits }, text: datasetText(dataset, splits) }
  },
})

/** The same content read in the same way is one dataset, which keeps the name it has. */
function alreadyThere({ name, id }: Dataset, wanted: string | undefined): string {
  const renaming =
    wanted === undefined || wanted === name ? '' : ` It keeps its name: edgesmith dataset rename ${shortId(id)} "${wanted}" changes it.`
  return `The same samples, read in the same way, are in the workspace already as "${name}": nothing was added.${renaming}`
}
