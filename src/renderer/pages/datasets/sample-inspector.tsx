import type { Dataset, SampleView } from '../../../contract/dataset.ts'
import { Facts } from '../../components/facts.tsx'
import { PictureCanvas } from '../../components/picture-canvas.tsx'
import { formatValue, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatShape } from '../../format/shapes.ts'
import { sampleCaption, sampleLabel } from './sample-caption.ts'
import classes from './sample-inspector.module.css'

/** One sample in full: picture, label, the first values of each array. */
export function SampleInspector({ dataset, sample }: { dataset: Dataset; sample: SampleView }) {
  return (
    <aside className={classes.inspector} aria-label="Selected sample" data-testid="sample-inspector" data-index={sample.index}>
      {sample.picture ? (
        <div className={classes.picture}>
          <PictureCanvas picture={sample.picture} label={sampleCaption(sample)} />
        </div>
      ) : null}
      <Facts
        facts={[
          { label: 'Sample', value: `#${sample.index}` },
          { label: sample.target ? 'Target' : 'Label', value: labelText(sample) },
          ...sample.values.map(({ array, shape, first }) => ({
            label: `${plainText(array, 60)} ${formatShape(shape)}`,
            value: <span className={classes.values}>{valuesText(first, shape, dataset)}</span>,
            wide: true,
          })),
        ]}
      />
    </aside>
  )
}

function labelText(sample: SampleView): string {
  const label = sampleLabel(sample)
  if (label === null) return 'none'
  return sample.labelName !== null && sample.label !== null ? `${label} (${sample.label})` : label
}

function valuesText(first: readonly number[], shape: readonly number[], { columns }: Dataset): string {
  if (first.length === 0) return NOTHING
  const named = columns?.length === shape.reduce((product, size) => product * size, 1)
  const shown = first.map((value, index) => {
    const column = named ? columns?.[index] : undefined
    return column ? `${plainText(column.name, 30)}: ${plainText(column.categories?.[value] ?? formatValue(value), 30)}` : formatValue(value)
  })
  return shown.join(named ? '\n' : ', ')
}
