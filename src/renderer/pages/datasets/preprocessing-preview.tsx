import { ActionIcon, Loader, Tooltip } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconArrowsShuffle, IconChevronLeft, IconChevronRight, IconCircleCheck } from '@tabler/icons-react'
import { useState } from 'react'
import type { Dataset, PreparedSample, Preprocessing } from '../../../contract/dataset.ts'
import { storedError } from '../../backend/backend-error.ts'
import { useCall } from '../../backend/use-call.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { Facts } from '../../components/facts.tsx'
import { ModelSelect } from '../../components/model-select.tsx'
import { PictureCanvas } from '../../components/picture-canvas.tsx'
import { Section } from '../../components/section.tsx'
import { formatCount, formatSignificant, formatValue } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatShape } from '../../format/shapes.ts'
import { holdsImages } from './holds-images.ts'
import classes from './preprocessing-preview.module.css'
import { SuggestButton } from './suggest-button.tsx'

/** Changes within this time become one question to the backend. */
const DEBOUNCE_MS = 180

interface PreprocessingPreviewProps {
  readonly dataset: Dataset
  /** Null while the form holds something that is no description: the last preview stays. */
  readonly preprocessing: Preprocessing | null
  readonly modelId: string | null
  readonly onModel: (modelId: string | null) => void
  /** Takes over a description that should fit the model. */
  readonly onSuggest: (preprocessing: Preprocessing) => void
}

/** What a description makes of one sample, and whether a model takes it. */
export function PreprocessingPreview({ dataset, preprocessing, modelId, onModel, onSuggest }: PreprocessingPreviewProps) {
  const { data: models } = useCall('models.list', {})
  const [index, setIndex] = useState(0)
  const [described] = useDebouncedValue(preprocessing === null ? null : JSON.stringify(preprocessing), DEBOUNCE_MS)
  const query = useCall(
    'datasets.preview',
    {
      id: dataset.id,
      preprocessing: described === null ? {} : (JSON.parse(described) as Preprocessing),
      index,
      ...(modelId === null ? {} : { modelId }),
    },
    { enabled: described !== null, keepPrevious: true },
  )
  const model = models?.find(({ id }) => id === modelId)
  const stale = preprocessing === null || JSON.stringify(preprocessing) !== described || query.isFetching
  return (
    <div className={classes.preview} data-testid="preprocessing-preview" data-stale={stale}>
      <div className={classes.controls}>
        <ModelSelect label="Check against" models={models ?? []} value={modelId} onChange={onModel} testId="preview-model" />
        <SampleStepper index={index} samples={dataset.report.samples} onIndex={setIndex} />
      </div>
      {model && preprocessing ? (
        <SuggestButton dataset={dataset} model={model} preprocessing={preprocessing} onSuggest={onSuggest} />
      ) : null}
      {query.isError ? <ErrorNotice error={query.error} /> : null}
      {query.data ? (
        <Prepared prepared={query.data} checked={modelId !== null} />
      ) : query.isError ? null : (
        <div className={classes.pictures} role="status" aria-label="Preparing a sample">
          {['As stored', 'What the model sees'].map((title) => (
            <Pane key={title} title={title} picture={null} loading={holdsImages(dataset)} />
          ))}
        </div>
      )}
    </div>
  )
}

/** Both pictures, what the model gets in numbers, and what does not fit. */
function Prepared({ prepared, checked }: { prepared: PreparedSample; checked: boolean }) {
  const { original, prepared: seen, inputs, problems } = prepared
  return (
    <>
      {original || seen ? (
        <div className={classes.pictures}>
          <Pane title="As stored" picture={original} />
          <Pane title="What the model sees" picture={seen} />
        </div>
      ) : null}
      <div className={classes.problems} role="status" data-testid="preview-problems" data-count={problems.length}>
        {problems.map(({ code, message, hint }) => (
          <ErrorNotice key={`${code} ${message}`} error={storedError({ code, message, hint: hint ?? undefined })} />
        ))}
        {problems.length === 0 && checked ? (
          <span className={classes.fits}>
            <IconCircleCheck size={15} aria-hidden /> The model takes it
          </span>
        ) : null}
      </div>
      {inputs.map((input) => (
        <Section
          key={input.name}
          title={`Model input ${plainText(input.name, 60)}`}
          aside={`${plainText(input.type, 20)} ${formatShape(input.shape)}`}
        >
          <Facts
            facts={[
              { label: 'Lowest', value: formatSignificant(input.min) },
              { label: 'Highest', value: formatSignificant(input.max) },
              { label: 'Mean', value: formatSignificant(input.mean) },
              {
                label: 'First values',
                value: <span className={`${classes.first} es-mono`}>{input.first.slice(0, 12).map(formatValue).join('  ')}</span>,
                wide: true,
              },
            ]}
          />
        </Section>
      ))}
    </>
  )
}

interface PaneProps {
  readonly title: string
  readonly picture: PreparedSample['original']
  /** The picture is on its way. */
  readonly loading?: boolean
}

function Pane({ title, picture, loading = false }: PaneProps) {
  return (
    <figure className={classes.pane}>
      <div className={classes.box}>
        {picture ? (
          <PictureCanvas picture={picture} label={null} />
        ) : loading ? (
          <Loader size="sm" />
        ) : (
          <span className="es-dim">no picture</span>
        )}
      </div>
      <figcaption>
        {title}
        {picture ? <span className="es-dim"> {`${picture.width}×${picture.height}`}</span> : null}
      </figcaption>
    </figure>
  )
}

interface SampleStepperProps {
  readonly index: number
  readonly samples: number
  readonly onIndex: (index: number) => void
}

function SampleStepper({ index, samples, onIndex }: SampleStepperProps) {
  const last = Math.max(0, samples - 1)
  return (
    <div className={classes.stepper}>
      <ActionIcon
        type="button"
        variant="default"
        size={30}
        aria-label="Previous sample"
        disabled={index === 0}
        onClick={() => onIndex(index - 1)}
      >
        <IconChevronLeft size={15} />
      </ActionIcon>
      <span className={`${classes.index} es-num`} data-testid="preview-index">
        #{formatCount(index)}
      </span>
      <ActionIcon
        type="button"
        variant="default"
        size={30}
        aria-label="Next sample"
        disabled={index >= last}
        onClick={() => onIndex(index + 1)}
      >
        <IconChevronRight size={15} />
      </ActionIcon>
      <Tooltip label={`Any of ${formatCount(samples)}`}>
        <ActionIcon
          type="button"
          variant="default"
          size={30}
          aria-label="Any sample"
          onClick={() => onIndex(Math.floor(Math.random() * samples))}
        >
          <IconArrowsShuffle size={15} />
        </ActionIcon>
      </Tooltip>
    </div>
  )
}
