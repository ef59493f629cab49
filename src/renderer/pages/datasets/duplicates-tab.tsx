import { Button, MultiSelect } from '@mantine/core'
import { IconCircleCheck, IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import type { Dataset } from '../../../contract/dataset.ts'
import { useCall } from '../../backend/use-call.ts'
import detailClasses from '../../components/detail.module.css'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { DuplicatePair } from './duplicate-pair.tsx'
import classes from './duplicates-tab.module.css'
import { relativesOf } from './relatives.ts'

interface DuplicatesTabProps {
  readonly dataset: Dataset
  readonly datasets: readonly Dataset[]
}

/** The contract's limit. */
const MAX_DATASETS = 16

/** Samples that occur twice: within the dataset, and in others that should have none of its samples. */
export function DuplicatesTab({ dataset, datasets }: DuplicatesTabProps) {
  const [otherIds, setOtherIds] = useState<readonly string[]>(() => relativesOf(dataset, datasets).slice(0, MAX_DATASETS - 1))
  const [asked, setAsked] = useState<readonly string[] | null>(null)
  const ids = [dataset.id, ...otherIds]
  const query = useCall('datasets.duplicates', { ids: [...(asked ?? ids)] }, { enabled: asked !== null })
  const found = query.data?.pairs.filter(({ count, similar }) => count > 0 || similar > 0) ?? []
  const byId = new Map(datasets.map((entry) => [entry.id, entry]))
  return (
    <div className={detailClasses.sections}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault()
          setAsked(ids)
        }}
      >
        <MultiSelect
          label="Look in this dataset and in"
          description="Samples of a test set that the model was trained on, or calibrated with, flatter it"
          placeholder={otherIds.length === 0 ? 'No other' : undefined}
          data={datasets.filter(({ id }) => id !== dataset.id).map(({ id, name }) => ({ value: id, label: plainText(name, 60) }))}
          value={[...otherIds]}
          onChange={setOtherIds}
          maxValues={MAX_DATASETS - 1}
          size="xs"
          searchable
          flex={1}
          data-testid="duplicates-others"
        />
        <Button type="submit" leftSection={<IconSearch size={14} aria-hidden />} loading={query.isFetching} data-testid="duplicates-start">
          Look for duplicates
        </Button>
      </form>
      <div className={classes.result} role="status" data-testid="duplicates-result" data-pairs={query.data ? found.length : ''}>
        {query.isError ? <ErrorNotice error={query.error} /> : null}
        {query.data && !query.isFetching ? (
          found.length === 0 ? (
            <span className={classes.none}>
              <IconCircleCheck size={16} aria-hidden />
              {asked && asked.length > 1
                ? `No sample occurs twice in these ${formatCount(asked.length)} datasets.`
                : 'No sample occurs twice in this dataset.'}
            </span>
          ) : (
            found.map((pair) => <DuplicatePair key={`${pair.a} ${pair.b}`} pair={pair} a={byId.get(pair.a)} b={byId.get(pair.b)} />)
          )
        ) : null}
      </div>
    </div>
  )
}
