import { Button } from '@mantine/core'
import { IconChartDots, IconPlus } from '@tabler/icons-react'
import { useLocation } from 'wouter'
import { useCall } from '../../backend/use-call.ts'
import { useActiveJobs } from '../../backend/use-jobs.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { CompareJob } from './compare-job.tsx'
import { ComparisonHistory } from './comparison-history.tsx'
import { ComparisonView } from './comparison-view.tsx'
import { NewComparison } from './new-comparison.tsx'

type ComparePageProps =
  | { readonly view: 'new'; readonly baselineId: string | null; readonly modelId: string | null }
  /** `id` names a comparison, or a compare job that has not ended; null shows the newest. */
  | { readonly view: 'result'; readonly id: string | null }

/** Comparisons made so far on the left; one of them, or the form for a new one, on the right. */
export function ComparePage(props: ComparePageProps) {
  const [, navigate] = useLocation()
  const comparisons = useCall('comparisons.list', {})
  const models = useCall('models.list', {})
  const running = useActiveJobs('compare.start')
  return (
    <div className={pageClasses.page}>
      <PageHeader
        title="Compare"
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={() => navigate('/compare/new')} data-testid="compare-new">
            New comparison
          </Button>
        }
      />
      <div className={pageClasses.body}>
        <AsyncView query={comparisons}>
          {(list) => {
            const shownId = props.view === 'result' ? (props.id ?? running[0]?.id ?? list[0]?.id ?? null) : null
            const shown = list.find(({ id, jobId }) => id === shownId || jobId === shownId)
            const nothing = list.length === 0 && running.length === 0
            if (nothing && models.data?.length === 0) {
              return (
                <EmptyPage
                  Icon={IconChartDots}
                  title="Nothing to compare yet"
                  actions={<LinkButton href="/models">Go to Models</LinkButton>}
                >
                  A comparison measures accuracy and latency of several builds against a baseline, on this computer or on a device. Import a
                  model first, or take the samples.
                </EmptyPage>
              )
            }
            const fresh = props.view === 'new' || (nothing && props.id === null)
            return (
              <SplitView
                name="compare"
                listSize="236px"
                list={<ComparisonHistory comparisons={list} running={running} selectedId={fresh ? null : (shown?.id ?? shownId)} />}
                detail={
                  fresh ? (
                    <NewComparison
                      models={models.data ?? []}
                      baselineId={props.view === 'new' ? props.baselineId : null}
                      modelId={props.view === 'new' ? props.modelId : null}
                    />
                  ) : shown ? (
                    <ComparisonView key={shown.id} comparison={shown} />
                  ) : (
                    <CompareJob jobId={shownId} />
                  )
                }
              />
            )
          }}
        </AsyncView>
      </div>
    </div>
  )
}
