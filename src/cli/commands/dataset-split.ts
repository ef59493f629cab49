import { formatCount } from '../../backend/report/quantities.ts'
import { serviceNameSchema } from '../../contract/names.ts'
import { procedures } from '../../contract/procedures.ts'
import { defineCommand } from '../command.ts'
import { answersText } from '../dataset-text.ts'
import { flag, required, setting, type ValueOption } from '../option.ts'
import { findDataset, shortId } from '../references.ts'
import { runJob } from '../run-job.ts'
import { textTable } from '../text-table.ts'

interface Part {
  readonly name: string
  readonly share: number
}

const partsOption: ValueOption<readonly Part[]> = {
  kind: 'value',
  placeholder: 'NAME=SHARE,…',
  description: 'the parts and their shares of the samples: train=0.8,test=0.2',
  read: (given) => given.split(',').map(readPart),
}

export const datasetSplitCommand = defineCommand({
  name: 'dataset split',
  summary: 'Divide a dataset into parts at random, the same seed giving the same parts; they share its files',
  positionals: { dataset: { description: 'name or id of a dataset, or the path of one to import' } },
  options: {
    parts: required(partsOption),
    seed: setting('N', procedures['datasets.split'].input.shape.seed, 'decides who goes where'),
    'no-stratify': flag('do not keep the shares of the classes in every part'),
  },
  examples: ['dataset split photos --parts train=0.8,test=0.2', 'dataset split photos --parts train=0.7,val=0.15,test=0.15 --seed 7'],
  run: async (context, options, { dataset: given }) => {
    const dataset = await findDataset(context, given)
    const splits = await runJob(context, 'datasets.split', {
      id: dataset.id,
      parts: [...options.parts],
      seed: options.seed,
      stratify: !options['no-stratify'],
    })
    return {
      document: { dataset, splits },
      text: textTable(
        [{ title: 'name' }, { title: 'samples', align: 'right' }, { title: 'answers' }, { title: 'id' }],
        splits.map((split) => [split.name, formatCount(split.report.samples), answersText(split), shortId(split.id)]),
      ),
    }
  },
})

function readPart(text: string): Part {
  const [, name = '', share = ''] = /^([^=]+)=(.+)$/.exec(text.trim()) ?? []
  const value = Number(share)
  if (!serviceNameSchema.safeParse(name).success || !(value > 0 && value <= 1)) {
    throw new Error(`needs parts such as train=0.8,test=0.2 (names of a-z, 0-9 and "-", shares above 0 up to 1), found "${text}"`)
  }
  return { name, share: value }
}
