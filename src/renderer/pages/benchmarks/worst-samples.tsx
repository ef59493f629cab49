import { Loader, Select } from '@mantine/core'
import { useState } from 'react'
import type { Evaluation, WorstSample } from '../../../contract/evaluation.ts'
import { useCall } from '../../backend/use-call.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { Section } from '../../components/section.tsx'
import { formatMoment } from '../../format/moments.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { useNow } from '../../hooks/use-now.ts'
import { useNames } from './use-names.ts'
import { WorstSampleCard } from './worst-sample-card.tsx'
import classes from './worst-samples.module.css'

interface WorstSamplesProps {
  readonly evaluation: Evaluation
  readonly evaluations: readonly Evaluation[]
  readonly className: (index: number) => string
  readonly lookedClass: number | null
  readonly onLook: (index: number | null) => void
  /** The evaluation had a baseline of its own. */
  readonly hasBaseline: boolean
}

const kinds = {
  wrong: 'Wrong, surest first',
  'newly-wrong': 'Wrong here, right there',
  'newly-right': 'Right here, wrong there',
  different: 'Different answers',
} as const
type Kind = keyof typeof kinds

/** Samples that deserve a look: what went in, what was expected, and what both answered. */
export function WorstSamples({ evaluation, evaluations, className, lookedClass, onLook, hasBaseline }: WorstSamplesProps) {
  const now = useNow(null)
  const names = useNames()
  const [besideId, setBesideId] = useState<string | null>(null)
  const [kind, setKind] = useState<Kind>('wrong')
  const classified = evaluation.task === 'classification'
  const beside = evaluations.filter(
    ({ id, datasetId, task, samples }) =>
      id !== evaluation.id && datasetId === evaluation.datasetId && task === evaluation.task && samples === evaluation.samples,
  )
  const query = useCall(
    'evaluations.worst',
    {
      id: evaluation.id,
      limit: 24,
      ...(besideId ? { besideId } : {}),
      ...(classified && (besideId || kind === 'wrong') ? { only: kind } : {}),
      ...(classified && lookedClass !== null ? { class: lookedClass } : {}),
    },
    { keepPrevious: true },
  )
  const worst = query.data?.samples ?? []
  const inputs = useCall(
    'datasets.samples',
    { id: evaluation.datasetId, indices: worst.map(({ index }) => index) },
    { enabled: worst.length > 0, keepPrevious: true },
  )
  const views = new Map(inputs.data?.samples.map((view) => [view.index, view]))
  const classIndices = evaluation.classification?.perClass.map((row) => row.class) ?? []
  return (
    <div id="worst-samples">
      <Section title="Samples that deserve a look" aside={query.data ? `${formatCounted(query.data.total, 'sample')}` : undefined}>
        <div className={classes.choices}>
          <Select
            label="Beside"
            data={beside.map(({ id, modelId, createdAt }) => ({
              value: id,
              label: `${names.model(modelId)}, ${formatMoment(createdAt, now)}`,
            }))}
            value={besideId}
            onChange={(id) => {
              setBesideId(id)
              if (id === null) setKind('wrong')
            }}
            placeholder={beside.length === 0 ? 'no other evaluation on these samples' : 'another evaluation'}
            disabled={beside.length === 0}
            clearable
            data-testid="worst-beside"
          />
          {classified ? (
            <>
              <Select
                label="Which"
                data={Object.entries(kinds).map(([value, label]) => ({ value, label, disabled: value !== 'wrong' && besideId === null }))}
                value={kind}
                onChange={(value) => setKind((value as Kind | null) ?? 'wrong')}
                allowDeselect={false}
                data-testid="worst-kind"
              />
              <Select
                label="Expected class"
                data={classIndices.map((index) => ({ value: String(index), label: className(index) }))}
                value={lookedClass === null ? null : String(lookedClass)}
                onChange={(value) => onLook(value === null ? null : Number(value))}
                placeholder="every class"
                searchable
                clearable
                data-testid="worst-class"
              />
            </>
          ) : null}
        </div>
        {query.error ? <ErrorNotice error={query.error} /> : null}
        {inputs.error ? <ErrorNotice error={inputs.error} /> : null}
        {query.isPending ? <Loader size="sm" /> : null}
        {query.data && worst.length === 0 ? (
          <p className="es-dim">{classified ? 'None: no sample of this kind.' : 'None: every answer is as expected.'}</p>
        ) : null}
        <ul className={classes.grid} data-testid="worst-samples" data-total={query.data?.total ?? ''}>
          {worst.map((sample: WorstSample) => (
            <WorstSampleCard
              key={sample.index}
              sample={sample}
              view={views.get(sample.index)}
              task={evaluation.task}
              className={className}
              other={
                besideId
                  ? plainText(names.model(beside.find(({ id }) => id === besideId)?.modelId ?? ''), 24)
                  : hasBaseline
                    ? 'baseline'
                    : null
              }
            />
          ))}
        </ul>
      </Section>
    </div>
  )
}
