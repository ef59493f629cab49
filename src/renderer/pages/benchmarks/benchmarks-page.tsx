import { Button, Tabs } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { useCall } from '../../backend/use-call.ts'
import { FilterBox } from '../../components/filter-box.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import tabClasses from '../../components/page-tabs.module.css'
import { EvaluationsView } from './evaluations-view.tsx'
import { MatricesView } from './matrices-view.tsx'
import { ParitiesView } from './parities-view.tsx'
import { ProfilesView } from './profiles-view.tsx'
import { RunsView } from './runs-view.tsx'

interface BenchmarksPageProps {
  /**
   * Of the runs `runs`, `new`, `compare`, `sweep`; `evaluations` and `evaluate`; `profiles` and `profile`; `matrices` and `matrix`; `parities` and
   * `parity`. Null and everything else shows the runs.
   */
  readonly view: string | null
  /** What is shown: a run, evaluation, profile, matrix, parity check, sweep or job; for `compare` run ids with commas; for forms the model to begin with. */
  readonly id: string | null
}

const tabs = {
  runs: { label: 'Runs', form: 'new', action: 'New run' },
  evaluations: { label: 'Evaluations', form: 'evaluate', action: 'New evaluation' },
  profiles: { label: 'Profiles', form: 'profile', action: 'New profile' },
  matrices: { label: 'Devices', form: 'matrix', action: 'New matrix' },
  parities: { label: 'Parity', form: 'parity', action: 'New parity check' },
} as const
type Tab = keyof typeof tabs

function tabOf(view: string | null): Tab {
  const found = Object.entries(tabs).find(([name, { form }]) => view === name || view === form)
  return found ? (found[0] as Tab) : 'runs'
}

/** Everything that was measured, one row each: runs, evaluations, profiles, builds on several devices, parity checks. */
export function BenchmarksPage({ view, id }: BenchmarksPageProps) {
  const [, navigate] = useLocation()
  const [filter, setFilter] = useState('')
  const runs = useCall('benchmarks.list', {})
  const evaluations = useCall('evaluations.list', {})
  const profiles = useCall('analyses.list', { kind: 'profile' })
  const matrices = useCall('matrices.list', {})
  const parities = useCall('analyses.list', { kind: 'parity' })
  const tab = tabOf(view)
  const counts: Readonly<Record<Tab, number | undefined>> = {
    runs: runs.data?.length,
    evaluations: evaluations.data?.length,
    profiles: profiles.data?.length,
    matrices: matrices.data?.length,
    parities: parities.data?.length,
  }
  const { form, action } = tabs[tab]
  return (
    <div className={pageClasses.page}>
      <PageHeader
        title="Benchmarks"
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={() => navigate(`/benchmarks/${form}`)} data-testid={`benchmarks-${form}`}>
            {action}
          </Button>
        }
      >
        <Tabs
          value={tab}
          onChange={(value) => navigate(`/benchmarks/${value}`)}
          variant="pills"
          classNames={{ tab: tabClasses.tab }}
          aria-label="Kind of measurement"
        >
          <Tabs.List>
            {Object.entries(tabs).map(([name, { label }]) => (
              <Tabs.Tab key={name} value={name} data-testid={`tab-${name}`}>
                {label}
                {counts[name as Tab] === undefined ? '' : ` (${counts[name as Tab]})`}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
        <FilterBox value={filter} onChange={setFilter} label={`Filter ${tabs[tab].label.toLowerCase()}`} hotkey />
      </PageHeader>
      <div className={pageClasses.body}>
        {tab === 'runs' ? <RunsView query={runs} filter={filter} view={view ?? 'runs'} id={id} /> : null}
        {tab === 'evaluations' ? <EvaluationsView query={evaluations} filter={filter} form={view === 'evaluate'} id={id} /> : null}
        {tab === 'matrices' ? <MatricesView query={matrices} filter={filter} form={view === 'matrix'} id={id} /> : null}
        {tab === 'parities' ? <ParitiesView query={parities} filter={filter} form={view === 'parity'} id={id} /> : null}
        {tab === 'profiles' ? <ProfilesView query={profiles} filter={filter} form={view === 'profile'} id={id} /> : null}
      </div>
    </div>
  )
}
