import { Loader, Select } from '@mantine/core'
import { useState } from 'react'
import type { Dataset } from '../../../contract/dataset.ts'
import { useCall } from '../../backend/use-call.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { balanceOf } from './balance.ts'
import { PageControls } from './page-controls.tsx'
import { SampleGrid } from './sample-grid.tsx'
import { SampleInspector } from './sample-inspector.tsx'
import { SampleTable } from './sample-table.tsx'
import classes from './samples-tab.module.css'

/** Samples of one page: a screen or two of thumbnails, fetched in one go. */
const PAGE_SIZE = 96

/** Samples as a person looks at them, page by page; one of them in full beside them. */
export function SamplesTab({ dataset }: { dataset: Dataset }) {
  const [classIndex, setClassIndex] = useState<number | null>(null)
  const [page, setPage] = useState(0)
  const [selectedIndex, setSelectedIndex] = useState<number | null>(null)
  const query = useCall(
    'datasets.samples',
    { id: dataset.id, from: page * PAGE_SIZE, count: PAGE_SIZE, ...(classIndex === null ? {} : { class: classIndex }) },
    { keepPrevious: true },
  )
  const total = query.data?.total ?? dataset.report.samples
  return (
    <div className={classes.tab} data-testid="samples-tab" data-total={total}>
      <div className={classes.toolbar}>
        {dataset.report.classCounts ? (
          <ClassFilter
            dataset={dataset}
            value={classIndex}
            onChange={(next) => {
              setClassIndex(next)
              setPage(0)
            }}
          />
        ) : null}
        <PageControls page={page} pageSize={PAGE_SIZE} total={total} onPage={setPage} />
        {query.isFetching ? <Loader size={14} aria-label="Loading samples" /> : null}
      </div>
      <AsyncView query={query}>
        {({ samples }) => {
          const selected = samples.find(({ index }) => index === selectedIndex) ?? samples[0]
          const shown = { samples, selectedIndex: selected?.index ?? null, onSelect: setSelectedIndex }
          return (
            <div className={classes.body} aria-busy={query.isPlaceholderData}>
              {samples.some(({ picture }) => picture !== null) ? (
                <SampleGrid {...shown} />
              ) : (
                <SampleTable {...shown} columns={dataset.columns} />
              )}
              {selected ? <SampleInspector dataset={dataset} sample={selected} /> : null}
            </div>
          )
        }}
      </AsyncView>
    </div>
  )
}

interface ClassFilterProps {
  readonly dataset: Dataset
  readonly value: number | null
  readonly onChange: (classIndex: number | null) => void
}

function ClassFilter({ dataset, value, onChange }: ClassFilterProps) {
  const { rows } = balanceOf(dataset.report.classCounts ?? {}, dataset.classNames)
  return (
    <Select
      aria-label="Class"
      data={[
        { value: '', label: 'All classes' },
        ...rows.map(({ index, name, count }) => ({
          value: String(index),
          label: `${name === null ? `class ${index}` : plainText(name, 40)} (${formatCount(count)})`,
        })),
      ]}
      value={value === null ? '' : String(value)}
      onChange={(next) => onChange(next ? Number(next) : null)}
      allowDeselect={false}
      searchable
      w={200}
      data-testid="class-filter"
    />
  )
}
