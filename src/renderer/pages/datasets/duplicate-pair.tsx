import type { Dataset, DuplicatesReport, SampleView } from '../../../contract/dataset.ts'
import { useCall } from '../../backend/use-call.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { PictureCanvas } from '../../components/picture-canvas.tsx'
import { Section } from '../../components/section.tsx'
import { formatCount, formatValue } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import classes from './duplicate-pair.module.css'
import { duplicatesText } from './duplicates-text.ts'
import { sampleCaption } from './sample-caption.ts'

type Pair = DuplicatesReport['pairs'][number]

interface DuplicatePairProps {
  readonly pair: Pair
  readonly a: Dataset | undefined
  readonly b: Dataset | undefined
}

/** Examples that are drawn; the first are as good as others. */
const MAX_EXAMPLES = 24

/** What two datasets share (or one holds twice), with examples side by side. */
export function DuplicatePair({ pair, a, b }: DuplicatePairProps) {
  const examples = pair.examples.slice(0, MAX_EXAMPLES)
  const samplesA = useCall(
    'datasets.samples',
    { id: pair.a, indices: examples.map(({ indexA }) => indexA) },
    { enabled: examples.length > 0 },
  )
  const samplesB = useCall(
    'datasets.samples',
    { id: pair.b, indices: examples.map(({ indexB }) => indexB) },
    { enabled: examples.length > 0 },
  )
  const names = { a: plainText(a?.name ?? 'a removed dataset', 60), b: plainText(b?.name ?? 'a removed dataset', 60) }
  return (
    <Section
      title={pair.a === pair.b ? `Within ${names.a}` : `${names.a} and ${names.b}`}
      aside={`${formatCount(pair.count)} equal, ${formatCount(pair.similar)} alike`}
    >
      <p className={classes.summary} data-testid="duplicate-pair" data-count={pair.count}>
        {duplicatesText(pair, names)}
      </p>
      {examples.length > 0 ? (
        <AsyncView query={samplesA}>
          {(first) => (
            <AsyncView query={samplesB}>
              {(second) => (
                <ul className={classes.examples}>
                  {examples.map(({ indexA, indexB, kind }) => (
                    <li key={`${indexA} ${indexB}`} className={classes.example}>
                      <Side sample={first.samples.find(({ index }) => index === indexA)} index={indexA} />
                      <Side sample={second.samples.find(({ index }) => index === indexB)} index={indexB} />
                      <span className={classes.kind}>{kind === 'equal' ? 'equal' : 'look alike'}</span>
                    </li>
                  ))}
                </ul>
              )}
            </AsyncView>
          )}
        </AsyncView>
      ) : null}
    </Section>
  )
}

function Side({ sample, index }: { sample: SampleView | undefined; index: number }) {
  const caption = sample ? sampleCaption(sample) : `#${index}`
  return (
    <div className={classes.side}>
      <div className={classes.picture}>
        {sample?.picture ? (
          <PictureCanvas picture={sample.picture} label={null} />
        ) : (
          <span className={`${classes.values} es-mono`}>{(sample?.values[0]?.first ?? []).slice(0, 6).map(formatValue).join(' ')}</span>
        )}
      </div>
      <span className={`${classes.caption} es-ellipsis`} title={caption}>
        {caption}
      </span>
    </div>
  )
}
